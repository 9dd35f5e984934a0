#!/usr/bin/env bash
# Installs the peers the tests need (Debian, as root), builds, publishes the native binary, runs every test.
# Ends with one plain line: N passed, N failed, N skipped. `./test.sh --no-install` leaves the machine as it is.
set -uo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
peers=(clang zlib1g-dev swaks libnet-ssleay-perl libio-socket-ssl-perl libauthen-sasl-perl libnet-dns-perl curl msmtp
       postfix dovecot-core dovecot-imapd dovecot-pop3d dovecot-auth-lua hydra slapd ldap-utils libldap-2.5-0 rbldnsd python3 nodejs openssl ca-certificates procps iproute2)
nodemailer=10.6.0
oidc_provider=9.8.6

stop() { echo "test.sh: $1" >&2; echo "0 passed, 1 failed, 0 skipped"; exit 1; }

install_peers() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "test.sh: not root on Debian: peers are not installed"; return; }
  local missing=()
  for package in "${peers[@]}"; do
    case "$package" in
      nodejs) command -v node >/dev/null && continue ;;
      python3) command -v python3 >/dev/null && continue ;;
    esac
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  command -v npm >/dev/null || missing+=(npm)
  [ ${#missing[@]} -eq 0 ] && return
  echo "test.sh: installing ${missing[*]}"
  apt-get update -qq || stop "apt-get update failed"
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >artifacts/apt.log 2>&1 \
    || { tail -n 20 artifacts/apt.log; stop "apt-get could not install the peers"; }
}

mkdir -p artifacts
if [ "${1:-}" != --no-install ]; then
  install_peers
  [ -d artifacts/node/node_modules/nodemailer ] && [ -d artifacts/node/node_modules/oidc-provider ] \
    || npm install --silent --no-fund --no-audit --no-save --prefix artifacts/node "nodemailer@$nodemailer" "oidc-provider@$oidc_provider" \
      >artifacts/npm.log 2>&1 \
    || { tail -n 20 artifacts/npm.log; stop "npm could not install nodemailer and oidc-provider"; }
fi

dotnet build Sallyport.slnx -c Release --nologo -v quiet || stop "the build failed"
dotnet publish src/Sallyport -c Release -r linux-x64 -o artifacts/native --nologo -v quiet || stop "the native publish failed"
export SALLYPORT_BINARY="$PWD/artifacts/native/sallyport" NODE_PATH="$PWD/artifacts/node/node_modules"

passed=0 failed=0 skipped=0
run() {
  local log="artifacts/$1.log" status
  "artifacts/bin/$1/release/$1" --no-progress --no-ansi 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  count() { sed -n "s/^ *$1: *\([0-9][0-9]*\).*/\1/p" "$log" | tail -n 1; }
  local f; f=$(count failed)
  passed=$((passed + $(count succeeded || true) + 0))
  skipped=$((skipped + $(count skipped || true) + 0))
  failed=$((failed + ${f:-0}))
  # A run that died without a summary, or found no test, is a failure too.
  if [ "$status" -ne 0 ] && [ "${f:-0}" -eq 0 ]; then failed=$((failed + 1)); echo "test.sh: $1 ended with status $status"; fi
}
run Sallyport.Tests
run Sallyport.EndToEnd
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
