"""nginx and HAProxy in front of a coordinator, as operators set them up: connections to it are used
again, and some paths are refused."""

import os

from concerto_testing import Process, free_ports, need_program, wait_for_port, wait_until

NGINX = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 512; }}
http {{
  client_body_temp_path {directory}/nginx-body;
  proxy_temp_path {directory}/nginx-proxy;
  fastcgi_temp_path {directory}/nginx-fastcgi;
  uwsgi_temp_path {directory}/nginx-uwsgi;
  scgi_temp_path {directory}/nginx-scgi;
  log_format passed 'passed=$upstream_addr';
  access_log {directory}/nginx.access passed;
  upstream web {{ server 127.0.0.1:{http}; keepalive 4; }}
  upstream rpc {{ server 127.0.0.1:{grpc}; keepalive 4; }}
  proxy_http_version 1.1;
  proxy_set_header Host $http_host;
  proxy_set_header Connection "";
  server {{
    listen 127.0.0.1:{ports[0]};
    location /api/concerto {{ return 403; }}
    location = /api/dtmsvr/forceStop {{ return 403; }}
    location = /api/dtmsvr/prepare {{ return 403; }}
    location / {{ proxy_pass http://web; }}
  }}
  server {{
    listen 127.0.0.1:{ports[1]} http2;
    location /api/concerto {{ return 403; }}
    location = /api/dtmsvr/forceStop {{ return 403; }}
    location = /api/dtmsvr/prepare {{ return 403; }}
    location / {{ proxy_pass http://web; }}
  }}
  server {{
    listen 127.0.0.1:{ports[2]} http2;
    location = /dtmgimp.Dtm/DeleteTopic {{ return 403; }}
    location / {{ grpc_pass grpc://rpc; }}
  }}
}}
"""

HAPROXY = """
global
  log stdout format raw local0
  nbthread 1
  maxconn 500
defaults
  mode http
  log global
  log-format passed=%s
  timeout connect 5s
  timeout client 10s
  timeout server 10s
  http-reuse always
frontend web
  bind 127.0.0.1:{ports[0]}
  bind 127.0.0.1:{ports[1]} proto h2
  http-request deny if {{ path_beg /api/concerto }}
  http-request deny if {{ path /api/dtmsvr/forceStop /api/dtmsvr/prepare }}
  default_backend web
frontend rpc
  bind 127.0.0.1:{ports[2]} proto h2
  http-request deny if {{ path /dtmgimp.Dtm/DeleteTopic }}
  default_backend rpc
backend web
  server concerto 127.0.0.1:{http}
backend rpc
  server concerto 127.0.0.1:{grpc} proto h2
"""


PACKAGES = {"nginx": "nginx-light", "haproxy": "haproxy"}


def program(name):
    return need_program(name, PACKAGES[name], ("/usr/sbin",))


class Proxy:
    """`http`: the port for HTTP/1; `http2`: HTTP/2, passed on as HTTP/1; `grpc`: gRPC."""

    def __init__(self, name, directory, coordinator):
        self.name = name
        ports = self.http, self.http2, self.grpc = free_ports(3)
        text, options = {"nginx": (NGINX, ["-p", directory, "-e", "stderr", "-c"]),
                         "haproxy": (HAPROXY, ["-db", "-f"])}[name]
        config = os.path.join(directory, name + ".conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(text.format(directory=directory, ports=ports, http=coordinator.http_port,
                                   grpc=coordinator.grpc_port))
        self._log = os.path.join(directory, "nginx.access" if name == "nginx" else name + ".log")
        self.process = Process(name, [program(name), *options, config], directory)
        for port in ports:
            wait_for_port(port, self.process)

    def close(self):
        self.process.kill()

    def passed(self):
        """How many requests it has passed on, once it has written them down."""
        last = None

        def is_quiet():
            nonlocal last
            before, last = last, self._passed()
            return before == last

        wait_until(is_quiet, f"{self.name} has no request any more")
        return last

    def _passed(self):
        with open(self._log, encoding="utf-8", errors="replace") as file:
            return sum(any(word in line for word in ("passed=127.", "passed=concerto"))
                       for line in file)
