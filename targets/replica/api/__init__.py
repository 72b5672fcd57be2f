"""The APIs that a replica serves: bytes of requests in, bytes of answers out. Pure.

api             the interface of an API to the server
openai_api      OpenAI's Chat Completions
anthropic_api   Anthropic's Messages
conversation    the request and its answer, without the API: canonical text, keys, lengths, block hashes
"""
