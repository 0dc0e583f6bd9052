// SPDX-License-Identifier: GPL-2.0-or-later
// What most tests include of libraries, compiled once for all of them.
#include "util/libraries.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
