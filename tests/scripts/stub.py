"""Stands in for the SAM CLI and for scripts this project's own scripts call: notes how it was called, ends as told.

Run as a copy named like the command it stands for. `stub.json` beside the copy says what to do for each
call ("sam build", "sam deploy", "pytest" ...): exit status, seconds to sleep, text to print; `calls.jsonl` gets one line a call.
"""

import json
import os
import sys
import time
from pathlib import Path

here = Path(__file__).resolve().parent
command = Path(sys.argv[0]).name
arguments = sys.argv[1:]
words = {"sam": 0, "python": 2, "artillery": 0}
name = (
    f"{command} {arguments[words[command]]}"
    if len(arguments) > words.get(command, len(arguments))
    else command
)
call: dict[str, object] = {
    "name": name,
    "argv": sys.argv,
    "cwd": str(Path.cwd()),
    "env": dict(os.environ),
    "pid": os.getpid(),
    "time": time.time(),
}

if "--parameter-overrides" in arguments:
    file = Path(arguments[arguments.index("--parameter-overrides") + 1].removeprefix("file://"))
    call["parameters"] = json.loads(file.read_text())
    call["parameters_mode"] = oct(file.stat().st_mode & 0o777)
    call["parameters_file"] = str(file)
if "--version" in arguments:
    print("stub")
    sys.exit(0)

behaviour = (
    json.loads((here / "stub.json").read_text()).get(name, {}) if (here / "stub.json").exists() else {}
)
if behaviour.get("litters"):
    import tempfile

    call["litter"] = tempfile.mkdtemp()
if behaviour.get("grandchild"):
    call["grandchild"] = os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "60")
with (here / "calls.jsonl").open("a") as log:
    log.write(json.dumps(call) + "\n")
print(behaviour.get("print", f"stub {name}"), flush=True)
if "writes" in behaviour:
    written = Path(behaviour["writes"])
    written.parent.mkdir(parents=True, exist_ok=True)
    time.sleep(0.05)
    written.write_text(behaviour.get("text", "written by the stub"))
time.sleep(behaviour.get("sleep", 0))
status = behaviour.get("exit", 0)
outcome = {"sam deploy": "/deployed", "sam delete": "/deleted"}.get(name)
if outcome and behaviour.get("does", status == 0):
    import http.client

    stack = arguments[arguments.index("--stack-name") + 1]
    connection = http.client.HTTPConnection(os.environ["AWS_ENDPOINT_URL"].removeprefix("http://"), timeout=5)
    connection.request("POST", outcome, json.dumps({"stack": stack}))
    connection.getresponse().read()
sys.exit(status)
