"""STS: whose credentials these are."""

from fake import ACCOUNT
from fake.sns import Topics


class Identity(Topics):
    def answer(self, call):
        who = f"<UserId>u</UserId><Account>{ACCOUNT}</Account><Arn>arn:aws:iam::{ACCOUNT}:user/bench</Arn>"
        return f"<GetCallerIdentityResponse><GetCallerIdentityResult>{who}</GetCallerIdentityResult></GetCallerIdentityResponse>"
