// SPDX-License-Identifier: GPL-2.0-or-later
// The C library's functions by which libslirp reaches files and makes sockets, in their place: in
// this process they open nothing. What there is to open Rhea opens, and hands the descriptor over.
#pragma once

namespace rhea::net::user {

/// Rhea's socket for such requests; set once, before libslirp is called.
void ask_at(int files_socket);
/// The next socket that is made is this one, which is bound and listens already; -1: a new one.
void next_socket_is(int socket);

}  // namespace rhea::net::user
