# SPDX-License-Identifier: GPL-2.0-or-later
"""What counts as an example in the documentation."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from doc_examples import Example, examples, is_command


def of(text: str, suffix: str = ".md") -> list[Example]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"page{suffix}"
        path.write_text(text, encoding="utf-8")
        return examples(path, Path("page"))


class Examples(unittest.TestCase):
    def test_indented_lines_are_commands_and_comments_are_not(self):
        found = of("Text\n\n    rhea -m 1G   # so much\n    rhea -help\n\nMore\n")
        self.assertEqual([e.words for e in found], [["rhea", "-m", "1G"], ["rhea", "-help"]])
        self.assertEqual(found[0].place, "page:3")

    def test_a_backslash_goes_on_with_the_next_line(self):
        found = of("    rhea -a \\\n         -b c\n")
        self.assertEqual([e.words for e in found], [["rhea", "-a", "-b", "c"]])

    def test_monitor_lines_belong_to_the_machine_before(self):
        found = of("    rhea -monitor stdio\n    (qemu) info registers\n    (qemu) quit\n")
        self.assertEqual(len(found), 1)
        self.assertEqual(found[0].monitor, ["info registers", "quit"])

    def test_qmp_lines_alone_get_a_machine(self):
        found = of('    {"execute": "query-status"}\n')
        self.assertTrue(found[0].starts_rhea)
        self.assertEqual(found[0].qmp, ['{"execute": "query-status"}'])

    def test_what_the_reader_adds_is_left_out(self):
        self.assertEqual(of("    rhea -S …\n")[0].words, ["rhea", "-S"])

    def test_fences_count_but_not_those_of_programs(self):
        found = of("```\nrhea -S\n```\n```cpp\nrhea::f();\n```\n")
        self.assertEqual([e.words for e in found], [["rhea", "-S"]])

    def test_man_pages_have_examples_too(self):
        found = of(".SH EXAMPLES\n.nf\nrhea \\-m 1G\n.fi\n", ".1")
        self.assertEqual([e.words for e in found], [["rhea", "-m", "1G"]])

    def test_option_syntax_is_no_command(self):
        self.assertFalse(is_command(["-drive", "file=FILE,if=ide|floppy"]))
        self.assertTrue(is_command(["build/rhea", "-help"]))
        self.assertTrue(is_command(["scripts/test"]))


if __name__ == "__main__":
    unittest.main()
