#!/usr/bin/env bash
# Logins a second: Sallyport beside Postfix with Dovecot's auth cache, on the same users, in turn, on this machine.
# usage: bench/logins.sh SALLYPORT_BINARY [ROUNDS]
# As root on a throw-away Debian machine with postfix, dovecot-core, slapd, ldap-utils and gcc. Postfix and Sallyport ask the same Dovecot;
# "first" is the first login of each of 2,000 users (nothing cached), "again" is 10,000 more of the same users.
set -eu
here=$(cd "$(dirname "$0")" && pwd) sallyport=$(realpath "$1") rounds=${2:-3}
dir=$(mktemp -d); chmod 755 "$dir"; mkdir -p "$dir"/{run,etc,spool,lib,db}
users=2000 password=Ordinary-Password-7 pids=()
cleanup() {
  postfix -c "$dir/etc" stop >/dev/null 2>&1 || true
  kill ${pids[@]+"${pids[@]}"} $(cat "$dir/run/master.pid" 2>/dev/null) 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$dir"
}
trap cleanup EXIT
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
until_listens() { for _ in $(seq 200); do (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; sleep 0.05; done; echo "nobody listens on $1" >&2; exit 1; }
cc -O2 -pthread -o "$dir/logins" "$here/logins.c"

# The users, for Dovecot with a strong hash each.
hash=$(openssl passwd -6 -salt saltsalt "$password")
for i in $(seq 0 $((users - 1))); do printf 'u%02d:{CRYPT}%s\n' "$i" "$hash"; done >"$dir/users"
dovecot_start() { # $1: size of its cache
  cat >"$dir/dovecot.conf" <<D
base_dir = $dir/run
log_path = $dir/dovecot.log
protocols =
ssl = no
auth_mechanisms = plain login
auth_cache_size = $1
auth_cache_ttl = 1 hour
passdb {
  driver = passwd-file
  args = $dir/users
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=/nonexistent
}
service auth {
  client_limit = 4000
  unix_listener $dir/spool/private/auth {
    mode = 0666
  }
}
D
  dovecot -c "$dir/dovecot.conf"
  for _ in $(seq 200); do [ -S "$dir/spool/private/auth" ] && return; sleep 0.05; done
}
dovecot_stop() { kill "$(cat "$dir/run/master.pid")"; while [ -f "$dir/run/master.pid" ]; do sleep 0.05; done; }

postfix_port=$(free_port)
chown postfix "$dir/lib"
cat >"$dir/etc/main.cf" <<P
compatibility_level = 3.6
queue_directory = $dir/spool
data_directory = $dir/lib
maillog_file = $dir/postfix.log
maillog_file_prefixes = $dir
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
myhostname = msa.test
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_tls_auth_only = no
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
default_process_limit = 100
P
cat >"$dir/etc/master.cf" <<M
127.0.0.1:$postfix_port inet n - n - 100 smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
M
postfix -c "$dir/etc" start >"$dir/start" 2>&1 || { cat "$dir/start" "$dir/postfix.log"; exit 1; }
until_listens "$postfix_port"

sallyport_start() { # $1: further configuration
  port=$(free_port)
  cat >"$dir/sallyport.toml" <<T
hostname = "msa.test"
data = "$dir/data"
[log]
file = "$dir/sallyport.log"
[[listener]]
address = "127.0.0.1:$port"
tls = "none"
[[route]]
recipients = ["*"]
capture = "$dir/capture"
$1
T
  mkdir -p "$dir/data"
  "$sallyport" serve --config "$dir/sallyport.toml" >>"$dir/out" 2>&1 & server=$!; pids+=("$server")
  until_listens "$port"
}
sallyport_stop() { kill "$server"; wait "$server" || true; }
one() { # name, port
  printf '%-44s first %s; again %s\n' "$1" "$("$dir/logins" "$2" 50 $users $users "$password")" "$("$dir/logins" "$2" 50 10000 $users "$password")"
}
dovecot_as_directory="[[directory]]
name = \"dovecot\"
type = \"dovecot\"
socket = \"$dir/spool/private/auth\""
asks_each_time="$dovecot_as_directory
login_cache = \"0s\""
for _ in $(seq "$rounds"); do
  dovecot_start "16 M"; one "Postfix, Dovecot with its cache" "$postfix_port"; dovecot_stop
  dovecot_start "16 M"; sallyport_start "$dovecot_as_directory"; one "Sallyport, both caches" "$port"; sallyport_stop; dovecot_stop
  dovecot_start "16 M"; sallyport_start "$asks_each_time"; one "Sallyport, Dovecot with its cache" "$port"; sallyport_stop; dovecot_stop
  dovecot_start 0; one "Postfix, Dovecot without cache" "$postfix_port"
  sallyport_start "$asks_each_time"; one "Sallyport, no cache anywhere" "$port"; sallyport_stop
  dovecot_stop
done
