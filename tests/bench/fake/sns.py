"""SNS: takes messages."""


class Topics:
    TYPE = "text/xml"

    def name(self, call):
        return call.form.get("Action", "?")

    def answer(self, call):
        return "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>"

    def error(self, refused):
        return f"<ErrorResponse><Error><Code>{refused.code}</Code><Message>{refused.message}</Message></Error></ErrorResponse>"
