"""Dialects of endpoints, written down as cases, and a player that plays them through the load's client.

case         one dialect: the bytes a server sends, and the right outcome of one call
http         pieces of HTTP responses
openai       events of OpenAI chat completions
anthropic    events of the Messages API
play         plays a dialect over loopback, and compares
strict       servers that refuse a conversation which an API does not allow
"""
