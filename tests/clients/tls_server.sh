#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# TLS servers whose key is on the token: openssl s_server, nginx (loads in the master, signs in forked
# workers) and stunnel (threads). Each serves handshakes that openssl s_client verifies.
. "$(dirname "$0")/lib.sh"
require pkcs11-tool opensc
require_engine
client_token

engine_config
key="pkcs11:token=$label;object=rsa;type=private"
trap end_with_server EXIT

makes_a_certificate() {
	make_key rsa:2048 01 rsa
	ssl req -new -x509 -engine pkcs11 -keyform engine -key "$key" -subj /CN=localhost -days 2 \
		-out server.pem
	openssl verify -CAfile server.pem server.pem
}

# handshake WHERE...: how s_client finds the server
handshake() {
	openssl s_client "$@" -CAfile server.pem -verify_return_error -brief </dev/null >client 2>&1 || {
		cat client server.log
		return 1
	}
	grep -q 'Verification: OK' client
}

serves() {
	eventually handshake "$@"
	for turn in 1 2 3 4 5 6 7 8 9 10; do
		handshake "$@"
	done
	handshake "$@" -tls1_2
}

serves_many_at_once() {
	rm -f failed
	for turn in 1 2 3 4 5 6 7 8; do
		(openssl s_client "$@" -CAfile server.pem -verify_return_error -brief </dev/null >/dev/null 2>&1 ||
			: >failed) &
	done
	wait
	[ ! -e failed ]
}

# The name of the socket is relative: s_server prints it through a buffer that a long one does not fit.
start_s_server() {
	OPENSSL_CONF="$work/engine.cnf" client openssl s_server -engine pkcs11 -keyform engine -key "$key" \
		-cert server.pem -unix s_server -www >server.log 2>&1 </dev/null &
	server=$!
}

start_nginx() {
	cat >nginx.conf <<-EOF
		daemon off;
		user $(id -un);
		worker_processes 2;
		pid $work/nginx.pid;
		error_log $work/server.log info;
		env HSMUX_CONF;
		env SOFTHSM2_CONF;
		events { }
		http {
			access_log off;
			client_body_temp_path $work/body;
			proxy_temp_path $work/proxy;
			fastcgi_temp_path $work/fastcgi;
			uwsgi_temp_path $work/uwsgi;
			scgi_temp_path $work/scgi;
			server {
				listen unix:$work/nginx ssl;
				ssl_certificate $work/server.pem;
				ssl_certificate_key "engine:pkcs11:$key";
			}
		}
	EOF
	: >server.log
	OPENSSL_CONF="$work/engine.cnf" client nginx -p "$work" -c "$work/nginx.conf" >>server.log 2>&1 </dev/null &
	server=$!
}

start_stunnel() {
	port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
	cat >stunnel.conf <<-EOF
		foreground = yes
		pid =
		engine = pkcs11
		engineCtrl = MODULE_PATH:$module
		engineCtrl = PIN:$pin
		engineCtrl = INIT
		[tls]
		accept = 127.0.0.1:$port
		exec = /bin/true
		cert = $work/server.pem
		engineId = pkcs11
		key = $key
	EOF
	client stunnel stunnel.conf >server.log 2>&1 </dev/null &
	server=$!
}

check "a certificate is made with the token's key" makes_a_certificate

start_s_server
check "openssl s_server with the token's key serves TLS 1.3 and 1.2" serves -unix s_server
stop_server

if command -v nginx >/dev/null; then
	start_nginx
	check "nginx with the token's key serves TLS 1.3 and 1.2" serves -unix "$work/nginx"
	check "nginx serves eight clients at once" serves_many_at_once -unix "$work/nginx"
	stop_server
else
	skip "nginx with the token's key serves TLS 1.3 and 1.2" "package missing: nginx-light"
fi

if command -v stunnel >/dev/null; then
	start_stunnel
	check "stunnel with the token's key serves TLS 1.3 and 1.2" serves -connect "127.0.0.1:$port"
	check "stunnel serves eight clients at once" serves_many_at_once -connect "127.0.0.1:$port"
	stop_server
else
	skip "stunnel with the token's key serves TLS 1.3 and 1.2" "package missing: stunnel4"
fi
done_testing
