"""Real gateways that can stand in front of the simulated replicas, one file each.

base       the protocol of an adapter, its site, and what its statistics say
catalogue  all adapters by name
nginx, haproxy, envoy  general proxies
litellm    a gateway for LLMs
cache      where gateways are installed, and which are
install    installs a gateway into the cache folder
builders   fills a folder with pip, apt-get and dpkg, or npm
tool       runs such a tool within a time limit
"""
