#!/usr/bin/env python3
"""page_code.py <page> <output>: writes the C++ fences of a page into a file to be compiled."""

import re
import sys

page, output = sys.argv[1:]
with open(page, encoding="utf-8") as file:
    fences = re.findall(r"^```cpp\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
with open(output, "w", encoding="utf-8") as file:
    file.write("\n".join(fences))
