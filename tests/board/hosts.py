# SPDX-License-Identifier: MIT
"""The program of a host, on an image of a board's store."""
import os
import subprocess


class Host:
    def __init__(self, program, machine, folder, *more):
        """`more`: words about the part, beside those of the machine."""
        self.program, self.machine, self.more = program, machine, more
        self.image = os.path.join(folder, "image")
        self.secret = os.path.join(folder, "secret")

    def take(self):
        """Store and secret out of the board."""
        self.put(self.image, self.machine.store())
        self.put(self.secret, self.machine.own_secret())

    @staticmethod
    def put(path, data):
        with open(path, "wb", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
            file.write(data)

    def bare(self, *words):
        done = subprocess.run([self.program, *words], text=True, capture_output=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def run(self, *words, password=None, secret=None):
        done = subprocess.run(
            [self.program, *self.machine.flash_storage(self.image, *self.more), "--secret",
             secret or self.secret, *words],
            text=True, input=password and password + "\n", capture_output=True, check=False)
        return done.returncode, done.stdout + done.stderr
