"""The HTTP server of a game day's pages: access, pages, pushes and actions. It knows the exercise as a `Room` only.

room          what the server knows of an exercise
serving       the address, the certificate and the public URL, checked
certificate   a certificate with its key, tried out in memory
acceptor      accepts connections, with TLS or without
origins       what Host, Origin and Sec-Fetch-Site may say
access        tokens, sessions, and how many of them
bucket        how often something may be done
once          an action is done once, however often it is sent
pages         the files of the pages, in memory
answers       answers with the headers that protect them
streams       one document a second for each role
routes        what each path answers
page_server   the server: start, links, close
"""
