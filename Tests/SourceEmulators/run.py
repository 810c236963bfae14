"""Runs the tests of the source plugins against the emulators, platforms side by side, and counts them as CI does."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
PLUGINS = ("gitlab", "jenkins", "azure-devops")


def run(plugin):
    module = "test_" + plugin.replace("-", "_")
    result = subprocess.run([sys.executable, "-B", "-m", "unittest", module], cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, check=False)
    number = re.search(r"^Ran (\d+) tests?", result.stdout, re.MULTILINE)
    failed = sum(map(int, re.findall(r"(?:failures|errors)=(\d+)", result.stdout)))
    if result.returncode != 0 or not number:
        print(result.stdout)
        failed = max(1, failed)
    return (int(number.group(1)) if number else 0), failed


with ThreadPoolExecutor() as pool:
    results = list(pool.map(run, PLUGINS))
total, failed = (sum(numbers) for numbers in zip(*results))
print(f"Script tests: {max(0, total - failed)} passed, {failed} failed")
sys.exit(1 if failed else 0)
