"""The example handlers as processes, against servers of this test on loopback."""

import contextlib
import gzip
import http.server
import json
import os
import pathlib
import socketserver
import subprocess
import sys
import tempfile
import threading
import unittest

HANDLERS = pathlib.Path(__file__).resolve().parent.parent / "handlers"


def run(name, payload, **environment):
    """(exit status, result, standard error, progress)"""
    read, write = os.pipe()
    # A process inherits only what is given to it by that number.
    command = ["sh", "-c", f'exec "$0" "$1" 3>&{write}', sys.executable, str(HANDLERS / name)]
    text = payload if isinstance(payload, str) else json.dumps(payload)
    done = subprocess.run(command, input=text, capture_output=True, text=True, pass_fds=(write,), timeout=60,
                          env=dict(os.environ, CARILLON_TASK_ID="t42", PYTHONDONTWRITEBYTECODE="1", **environment))
    os.close(write)
    with os.fdopen(read) as pipe:
        progress = [json.loads(line) for line in pipe]
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr, progress


@contextlib.contextmanager
def serving(server):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mail (RFC 5321), but for refused@ (550) and later@ (451)."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), MailSession)
        self.messages = []

    def environment(self):
        return {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(self.server_address[1]), "SMTP_SECURITY": "none",
                "MAIL_FROM": "carillon@example.com"}


class MailSession(socketserver.StreamRequestHandler):
    def handle(self):
        self.say("220 test")
        recipients = []
        while line := self.rfile.readline().decode().strip():
            verb = line.split(" ")[0].upper()
            if verb == "RCPT":
                if "later@" in line:
                    self.say("451 try later")
                elif "refused@" in line:
                    self.say("550 nobody here")
                else:
                    recipients.append(line[len("RCPT TO:<"):line.index(">")])
                    self.say("250 ok")
            elif verb == "DATA":
                self.say("354 go on")
                body = []
                while (part := self.rfile.readline()) != b".\r\n":
                    body.append(part)
                self.server.messages.append((recipients, b"".join(body).decode()))
                self.say("250 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")


class WebServer(http.server.ThreadingHTTPServer):
    """Answers with what `answer(method, path, body)` gives: a status and JSON."""

    daemon_threads = True

    def __init__(self, answer):
        super().__init__(("127.0.0.1", 0), WebSession)
        self.answer = answer
        self.requests = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class WebSession(http.server.BaseHTTPRequestHandler):
    def reply(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        self.server.requests.append((self.path, dict(self.headers), body))
        status, value = self.server.answer(self.path, body)
        bytes_ = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(bytes_)))
        self.end_headers()
        self.wfile.write(bytes_)

    do_GET = do_POST = reply

    def log_message(self, *_):
        pass


class EmailTests(unittest.TestCase):
    def test_mail_is_sent_to_everybody_and_names_its_task(self):
        with serving(MailServer()) as server:
            payload = {"to": ["ann@example.com", "bob@example.com"], "bcc": "eve@example.com", "subject": "Grüße",
                       "text": "Hello", "html": "<p>Hello</p>"}
            status, result, errors, _ = run("email", payload, **server.environment())
            self.assertEqual((status, errors), (0, ""))
            self.assertEqual(result["messageId"], "<t42@example.com>")
            recipients, text = server.messages[0]
            self.assertEqual(recipients, ["ann@example.com", "bob@example.com", "eve@example.com"])
            self.assertIn("Message-ID: <t42@example.com>", text)
            self.assertNotIn("eve@", text)

    def test_what_may_work_later_is_told_from_what_will_not(self):
        with serving(MailServer()) as server:
            payload = {"to": "later@example.com", "subject": "s", "text": "t"}
            self.assertEqual(run("email", payload, **server.environment())[0], 75)
            payload["to"] = "refused@example.com"
            status, _, errors, _ = run("email", payload, **server.environment())
            self.assertEqual(status, 65)
            self.assertIn("550", errors)
            self.assertEqual(run("email", payload, **dict(server.environment(), SMTP_PORT="1"))[0], 75)

    def test_mistakes_are_told(self):
        environment = {"SMTP_HOST": "127.0.0.1", "MAIL_FROM": "a@b.example"}
        for payload, words in [
            ("{", "not JSON"), ({"subject": "s", "text": "t"}, "/to is required"),
            ({"to": "a@b.example", "subject": "s\nBcc: x@y.example", "text": "t"}, "header"),
            ({"to": "a@b.example", "subject": "s", "text": "t", "atachment": 1}, "/atachment is not known"),
            ({"to": [1], "subject": "s", "text": "t"}, "/to has to be"),
        ]:
            status, _, errors, _ = run("email", payload, **environment)
            self.assertEqual(status, 65, errors)
            self.assertIn(words, errors)


class SmsTests(unittest.TestCase):
    def test_a_message_goes_to_the_gateway_once_a_task(self):
        with serving(WebServer(lambda path, body: (200, {"id": "m1"}))) as server:
            status, result, _, _ = run("sms", {"to": "+4915112345678", "text": "Hi"}, SMS_URL=server.url, SMS_TOKEN="x")
            self.assertEqual((status, result), (0, {"to": "+4915112345678", "answer": {"id": "m1"}}))
            _, headers, body = server.requests[0]
            self.assertEqual(json.loads(body), {"to": "+4915112345678", "text": "Hi"})
            self.assertEqual((headers["Idempotency-Key"], headers["Authorization"]), ("t42", "Bearer x"))

    def test_statuses_are_told_apart(self):
        for code, expected in [(429, 75), (503, 75), (400, 65)]:
            with serving(WebServer(lambda path, body, code=code: (code, {}))) as server:
                self.assertEqual(run("sms", {"to": "+4915112345678", "text": "Hi"}, SMS_URL=server.url)[0], expected)
        self.assertEqual(run("sms", {"to": "0151", "text": "Hi"}, SMS_URL="http://127.0.0.1:1")[0], 65)
        self.assertEqual(run("sms", {"to": "+4915112345678", "text": "Hi"})[0], 78)


class FileTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def test_a_file_is_compressed_the_same_way_each_time(self):
        content = b"carillon " * 400_000
        (self.root / "log.txt").write_bytes(content)
        status, result, _, progress = run("compress", {"path": "log.txt"}, FILES_ROOT=str(self.root))
        self.assertEqual((status, result["bytes"]), (0, len(content)))
        first = (self.root / "log.txt.gz").read_bytes()
        self.assertEqual(gzip.decompress(first), content)
        self.assertEqual(progress[-1]["progress"], 100)
        run("compress", {"path": "log.txt"}, FILES_ROOT=str(self.root))
        self.assertEqual((self.root / "log.txt.gz").read_bytes(), first)
        self.assertEqual(sorted(file.name for file in self.root.iterdir()), ["log.txt", "log.txt.gz"])

    def test_nothing_outside_the_root_is_touched(self):
        (self.root / "in").mkdir()
        for payload in [{"path": "../x"}, {"path": "/etc/hostname"}, {"path": "x", "to": "../y"}]:
            status, _, errors, _ = run("compress", payload, FILES_ROOT=str(self.root / "in"))
            self.assertEqual(status, 65)
            self.assertIn("FILES_ROOT", errors)
        self.assertEqual(run("compress", {"path": "missing"}, FILES_ROOT=str(self.root))[0], 65)

    def pages(self, path, _):
        task = {"id": "t1", "state": "dead", "handler": "mail", "error": {"message": 'no "one"'},
                "startedAt": "2026-01-01T00:00:00.000Z", "finishedAt": "2026-01-01T00:00:02.000Z"}
        if "cursor=2" in path:
            return 200, {"items": [dict(task, id="t0", state="succeeded", error=None)], "next": None}
        return 200, {"items": [task], "next": "2"}

    def test_tasks_are_exported_page_by_page(self):
        with serving(WebServer(self.pages)) as server:
            environment = {"FILES_ROOT": str(self.root), "CARILLON_SERVER": "127.0.0.1:1," + server.url}
            payload = {"to": "dead.csv", "filters": {"queue": "mail"}, "columns": ["id", "error.message"]}
            status, result, errors, _ = run("export", payload, **environment)
            self.assertEqual((status, errors, result["rows"]), (0, "", 2))
            self.assertEqual((self.root / "dead.csv").read_bytes(), b'id,error.message\r\nt1,"no ""one"""\r\nt0,\r\n')
            self.assertIn("queue=mail", server.requests[0][0])
            run("export", {"to": "all.ndjson"}, **environment)
            lines = (self.root / "all.ndjson").read_text().splitlines()
            self.assertEqual(json.loads(lines[0])["error.message"], 'no "one"')
            self.assertEqual(run("export", {"to": "../x.csv"}, **environment)[0], 65)

    def test_a_report_counts_and_measures(self):
        with serving(WebServer(self.pages)) as server:
            status, result, errors, _ = run("report", {"hours": 1}, CARILLON_SERVER=server.url)
            self.assertEqual((status, errors), (0, ""))
            self.assertEqual(result["handlers"], {"mail": {"dead": 1, "succeeded": 1}})
            self.assertIn("| mail | 1 | 1 | 0 | 0 | 2.000 s | 2.000 s |", result["markdown"])
            self.assertIn('1 × mail: no "one"', result["markdown"])


if __name__ == "__main__":
    unittest.main()
