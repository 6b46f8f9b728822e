"""The check of the includes finds what it is there to find."""

import pathlib
import tempfile
import unittest

import check_includes

FOLDERS = ["core", "comm", "optimizer", "tuner"]


class CheckIncludes(unittest.TestCase):
    def problems(self, files):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder).resolve()
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            return check_includes.check(root, FOLDERS)[0]

    def test_accepts_downward_arrows(self):
        self.assertEqual(
            self.problems({
                "include/onedge/core/a.hpp": "#include <vector>\n",
                "include/onedge/comm/b.hpp": "#include <onedge/core/a.hpp>\n#include <mpi.h>\n",
                "src/comm/b.cpp": '#include <onedge/comm/b.hpp>\n#include "b_detail.hpp"\n',
                "src/comm/b_detail.hpp": "",
            }),
            [],
        )

    def test_finds_each_kind_of_problem(self):
        lower = {"include/onedge/core/a.hpp": "", "include/onedge/comm/b.hpp": "", "include/onedge/optimizer/o.hpp": ""}
        for text, expected in (
            ("#include <onedge/comm/b.hpp>\n", "src/core/x.cpp:1: <onedge/comm/b.hpp> points up"),
            ('// why\n#include "../comm/b.hpp"\n', "src/core/x.cpp:2: \"../comm/b.hpp\" leaves its folder"),
            ("#include <onedge/core/none.hpp>\n", "does not exist"),
            ("  # include <mpi.h>\n", "known to app and comm only"),
        ):
            found = self.problems({**lower, "src/core/x.cpp": text})
            self.assertEqual(len(found), 1, found)
            self.assertIn(expected, found[0])
        self.assertIn("tuner may not know optimizer",
                      self.problems({**lower, "src/tuner/t.cpp": "#include <onedge/optimizer/o.hpp>\n"})[0])
        self.assertIn("not a folder", self.problems({"src/misc/t.cpp": ""})[0])

    def test_finds_cycles(self):
        found = self.problems({
            "include/onedge/core/a.hpp": "#include <onedge/core/b.hpp>\n",
            "include/onedge/core/b.hpp": "#include <onedge/core/a.hpp>\n",
        })
        self.assertEqual(len(found), 1)
        self.assertIn("include each other", found[0])


if __name__ == "__main__":
    unittest.main()
