// SPDX-License-Identifier: GPL-2.0-or-later
// Nothing: the library whose precompiled header the others use has to have a source.
