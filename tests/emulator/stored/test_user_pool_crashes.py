"""User pools in a data file, with kills at any moment: nothing that was answered is lost."""

from __future__ import annotations

import http.client
import json
import random
import threading
from contextlib import closing

from cognito_credentials.emulator import Emulator

from ..conftest import command

CLIENTS, ROUNDS = 4, 4
POOL, CLIENT = "us-east-1_Crash0001", "client"
TARGET = "AWSCognitoIdentityProviderService"


def ask(wire, operation, **content):
    """Call an operation of user pools. Returns status and members."""
    wire.request("POST", "/", json.dumps(content), {"X-Amz-Target": f"{TARGET}.{operation}"})
    answer = wire.getresponse()
    return answer.status, json.loads(answer.read() or b"{}")


class Person(threading.Thread):
    """Signs others up, refreshes, ends sign-ins and changes the password, until the emulator is killed."""

    def __init__(self, url, name, state):
        super().__init__()
        self.address, self.name_, self.state = url.removeprefix("http://"), name, state
        self.answered = threading.Event()

    def run(self):
        random_ = random.Random(f"{self.name_} {self.state['signed_up']}")
        with closing(http.client.HTTPConnection(self.address, timeout=20)) as wire:
            try:
                while True:
                    random_.choice([self.sign_up, self.refresh, self.refresh, self.end, self.change])(wire)
                    self.state["answers"] += 1
                    if self.state["answers"] % 10 == 0:
                        self.answered.set()
            except (OSError, http.client.HTTPException, ValueError):
                self.answered.set()

    def sign_up(self, wire):
        name = f"{self.name_}-{len(self.state['signed_up'])}-{self.state['answers']}"
        status, _ = ask(wire, "SignUp", ClientId=CLIENT, Username=name, Password="Correct-horse-1!")
        assert status == 200
        self.state["signed_up"].append(name)

    def refresh(self, wire):
        token = self.state["refresh"]
        status, answer = ask(wire, "GetTokensFromRefreshToken", ClientId=CLIENT, RefreshToken=token)
        assert status == 200, answer
        self.state["refresh"] = answer["AuthenticationResult"]["RefreshToken"]
        self.state["access"] = answer["AuthenticationResult"]["AccessToken"]

    def end(self, wire):
        status, answer = self.sign_in(wire, self.state["passwords"][-1])
        assert status == 200, answer
        token = answer["AuthenticationResult"]["RefreshToken"]
        assert ask(wire, "RevokeToken", ClientId=CLIENT, Token=token)[0] == 200
        self.state["ended"].append(token)

    def change(self, wire):
        old, new = self.state["passwords"][-1], f"Correct-horse-{self.state['answers']}!"
        self.state["passwords"] = [new, old]  # until it is answered, either may be good
        status, answer = ask(
            wire,
            "ChangePassword",
            AccessToken=self.state["access"],
            PreviousPassword=old,
            ProposedPassword=new,
        )
        assert status == 200, answer
        self.state["passwords"] = [new]

    def sign_in(self, wire, password):
        parameters = {"USERNAME": self.name_, "PASSWORD": password}
        return ask(
            wire, "InitiateAuth", ClientId=CLIENT, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters
        )

    def check(self, wire):
        """Everything that was answered is so after the restart; what was under way is so, or is not."""
        for name in self.state["signed_up"]:
            _, answer = ask(wire, "SignUp", ClientId=CLIENT, Username=name, Password="Correct-horse-1!")
            assert answer["__type"].endswith("UsernameExistsException"), name
        for token in self.state["ended"]:
            assert ask(wire, "GetTokensFromRefreshToken", ClientId=CLIENT, RefreshToken=token)[0] == 400
        good = [word for word in self.state["passwords"] if self.sign_in(wire, word)[0] == 200]
        assert len(good) == 1
        self.state["passwords"] = good
        self.refresh(wire)


def test_kills_at_any_moment(tmp_path):
    """Users, passwords, sign-ins and their ends survive kill -9 under load, and every token is as it was."""
    file = tmp_path / "state-cache.db"
    people = {}
    with Emulator(data=file) as emulator:
        users = [{"name": f"person{number}", "password": "Correct-horse-0!"} for number in range(CLIENTS)]
        emulator.create_user_pool(
            id=POOL,
            clients=[{"id": CLIENT}],
            users=users,
            rotate_refresh_tokens=True,
            rotation_grace_seconds=60,  # the answer to the last refresh may be lost
        )
        for user in users:
            tokens = emulator.user_pool(POOL).sign_in(user["name"])
            people[user["name"]] = {
                "refresh": tokens["RefreshToken"],
                "access": tokens["AccessToken"],
                "passwords": [user["password"]],
                "signed_up": [],
                "ended": [],
                "answers": 0,
            }
    random_ = random.Random(20_261_130)
    for _ in range(ROUNDS):
        with command(f"data={file}") as process:
            threading.Thread(target=process.stderr.read, daemon=True).start()
            url = process.stdout.readline().split()[-1]
            threads = [Person(url, name, state) for name, state in people.items()]
            with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)) as wire:
                for thread in threads:
                    thread.check(wire)
            for thread in threads:
                thread.start()
            # The kill comes in the middle of a request, each time at another point.
            random_.choice(threads).answered.wait(60)
            process.kill()
            for thread in threads:
                thread.join()
    with command(f"data={file}") as process:
        threading.Thread(target=process.stderr.read, daemon=True).start()
        url = process.stdout.readline().split()[-1]
        with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)) as wire:
            for name, state in people.items():
                Person(url, name, state).check(wire)
        process.kill()

    assert sum(state["answers"] for state in people.values()) > 20
    assert any(state["ended"] for state in people.values())
