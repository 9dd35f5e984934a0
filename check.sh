#!/usr/bin/env bash
# What one runs before a commit: build with analyzers and code style as errors, whitespace as .editorconfig says, the hermetic tests.
# No peers, no publish; ./test.sh does all.
set -uo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
mkdir -p artifacts

# The format check reads the source alone, so it runs beside the build.
dotnet format whitespace . --folder --exclude artifacts --verify-no-changes --verbosity quiet >artifacts/format.log 2>&1 & format=$!
dotnet build Sallyport.slnx -c Debug -v quiet || { kill "$format" 2>/dev/null; echo "check.sh: the build failed" >&2; exit 1; }
artifacts/bin/Sallyport.Tests/debug/Sallyport.Tests --no-progress --no-ansi; tests=$?
wait "$format" || { tail -n 20 artifacts/format.log; echo "check.sh: \`dotnet format whitespace . --folder\` mends the whitespace" >&2; exit 1; }
[ "$tests" -eq 0 ] || { echo "check.sh: tests failed" >&2; exit 1; }
echo "check.sh: all is well, in $SECONDS s"
