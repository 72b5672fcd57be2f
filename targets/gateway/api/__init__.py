"""Both client APIs: request bodies, headers, and response streams, with nothing about routing.

incoming           fields of request bodies; session key, marker, prompt size
headers            which headers are forwarded; account, `Retry-After`
sse                server-sent events as bytes
answer             what the response streams of both APIs have in common
openai_stream      a response of `/v1/chat/completions`
anthropic_stream   a response of `/v1/messages`
"""
