// SPDX-License-Identifier: GPL-2.0-or-later
// Back ends without a peer: options, files, the ring buffer, log files.
#include "chardev/backend.h"
#include "chardev/ringbuf.h"
#include "tests/chardev/client.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace rhea::test {
namespace {

class ChardevTest : public testing::Test {
 protected:
  std::string error_of(std::string_view options) {
    const auto made = create_chardev(machine_, options);
    return made ? "no error" : made.error().message();
  }
  std::string legacy_error_of(std::string_view text) {
    const auto made = create_chardev_legacy(machine_, "c", text);
    return made ? "no error" : made.error().message();
  }
  std::string contents(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  // What the file holds once it is `expected`, or after a while: a thread writes it.
  std::string settled(const std::string& path, std::string_view expected) {
    turn_until(machine_, [&] { return contents(path) == expected; });
    return contents(path);
  }

  ScratchFolder scratch_;
  Machine machine_;
};

TEST_F(ChardevTest, is_found_under_its_id) {
  Chardev* made = create_chardev(machine_, "null,id=quiet").value();
  EXPECT_EQ(find_chardev(machine_, "quiet"), made);
  EXPECT_EQ(made->filename(), "null");
}

TEST_F(ChardevTest, second_with_same_id_is_refused) {
  create_chardev(machine_, "null,id=a").value();
  EXPECT_EQ(error_of("null,id=a"), "Chardev with id 'a' already exists");
}

TEST_F(ChardevTest, errors_name_what_is_wrong) {
  EXPECT_EQ(error_of("bogus,id=a"), "'bogus' is not a valid char driver name");
  EXPECT_EQ(error_of("null"), "chardev: no id specified");
  EXPECT_EQ(error_of("null,id=4x"), "Parameter 'id' expects an identifier");
  EXPECT_EQ(error_of("null,id=a,colour=red"), "Invalid parameter 'colour'");
  EXPECT_EQ(error_of("file,id=a"), "chardev: file: no path given");
  EXPECT_EQ(error_of("file,id=a,path=/,input-path=/x"),
            "chardev: file: QEMU has input-path=; Rhea has not yet: use a pipe or a pty");
  EXPECT_EQ(error_of("file,id=a,path=/"), "Could not open '/': Is a directory");
  EXPECT_EQ(error_of("ringbuf,id=a,size=1000"),
            "chardev: ringbuf: size 1000 is not a power of two up to 1G");
  EXPECT_EQ(error_of("socket,id=a,host=h"), "chardev: socket: no port given");
  EXPECT_EQ(error_of("socket,id=a,path=/x,host=h,port=1"),
            "None or one of 'path', 'fd' or 'host' option required.");
  EXPECT_EQ(error_of("socket,id=a,path=/x,wait=on"),
            "'wait' option is incompatible with socket in client connect mode");
  EXPECT_EQ(error_of("socket,id=a,path=/x,server=on,reconnect=1"),
            "'reconnect' option is incompatible with socket in server listen mode");
  EXPECT_EQ(error_of("socket,id=a,path=/x,tls-creds=t"),
            "chardev: socket: QEMU has tls-creds=; Rhea has not yet: use a TLS tunnel (stunnel)");
  EXPECT_EQ(error_of("socket,id=a,host=h,port=1,websocket=on"),
            "WebSocket client is not implemented: a websocket chardev needs server=on");
  EXPECT_EQ(error_of("socket,id=a,host=h,port=1,ipv4=off,ipv6=off,server=on,wait=off"),
            "Cannot disable IPv4 and IPv6 at same time");
  EXPECT_EQ(error_of("socket,id=a,path=/nowhere/x"),
            "Failed to connect to '/nowhere/x': No such file or directory");
}

TEST_F(ChardevTest, delay_and_nodelay_exclude_each_other) {
  EXPECT_EQ(error_of("socket,id=a,path=/x,delay=on,nodelay=on"),
            "'delay' and 'nodelay' are mutually exclusive");
}

TEST_F(ChardevTest, legacy_errors_name_what_is_wrong) {
  EXPECT_EQ(legacy_error_of("telnet:localhost"),
            "'telnet:localhost': an address is written HOST:PORT");
  EXPECT_EQ(legacy_error_of("wombat"), "'wombat' is not a valid char driver name");
  EXPECT_EQ(legacy_error_of("tcp:localhost"), "'tcp:localhost': an address is written HOST:PORT");
  EXPECT_EQ(legacy_error_of("chardev:gone"), "Chardev 'gone' not found");
}

TEST_F(ChardevTest, failed_one_leaves_its_id_free) {
  EXPECT_NE(error_of("null,id=a,colour=red"), "no error");
  EXPECT_EQ(error_of("null,id=a"), "no error");
}

TEST_F(ChardevTest, file_is_emptied_and_written) {
  const std::string path = scratch_.file("out");
  std::ofstream(path) << "old";
  Chardev* file = create_chardev(machine_, "file,id=f,path=" + path).value();
  EXPECT_EQ(file->write(bytes_of("new")), 3u);
  EXPECT_EQ(settled(path, "new"), "new");
}

TEST_F(ChardevTest, file_with_append_keeps_what_was_there) {
  const std::string path = scratch_.file("out");
  std::ofstream(path) << "old";
  Chardev* file = create_chardev(machine_, "file,id=f,append=on,path=" + path).value();
  file->write(bytes_of("new"));
  EXPECT_EQ(settled(path, "oldnew"), "oldnew");
}

TEST_F(ChardevTest, logfile_gets_a_copy_of_output) {
  const std::string path = scratch_.file("log");
  Chardev* null = create_chardev(machine_, "null,id=n,logfile=" + path).value();
  null->write(bytes_of("hello"));
  EXPECT_EQ(settled(path, "hello"), "hello");
}

TEST_F(ChardevTest, second_front_end_is_refused) {
  Chardev* null = create_chardev(machine_, "null,id=n").value();
  Listener first;
  Listener second;
  EXPECT_TRUE(null->attach(first.front_end()).has_value());
  EXPECT_EQ(null->attach(second.front_end()).error().message(), "chardev 'n' is already in use");
  null->detach();
  EXPECT_TRUE(null->attach(second.front_end()).has_value());
}

TEST_F(ChardevTest, ring_keeps_the_last_bytes) {
  auto* ring =
      static_cast<chardev::RingChardev*>(create_chardev(machine_, "ringbuf,id=r,size=8").value());
  ring->write(bytes_of("0123456789"));
  EXPECT_EQ(ring->take(3), "234");
  EXPECT_EQ(ring->take(100), "56789");
  EXPECT_EQ(ring->take(100), "");
}

TEST_F(ChardevTest, legacy_file_path_may_hold_commas) {
  const std::string path = scratch_.file("a,b");
  Chardev* file = create_chardev_legacy(machine_, "serial0", "file:" + path).value();
  file->write(bytes_of("x"));
  EXPECT_EQ(settled(path, "x"), "x");
}

}  // namespace
}  // namespace rhea::test
