#!/usr/bin/env bash
# Packs, and then does what a stranger does: makes projects outside the repository with nothing but package references, builds
# and runs each sample, and installs the command line as a tool. Everything is made in a folder that is gone afterwards; packages
# that the machine has already are taken from where they lie.
set -euo pipefail
root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/lit-packages.XXXXXX")
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 NO_COLOR=1
version=0.1.0-packed
feed="$work/feed"
said() { echo "packages: $*" >&2; }
fail() { echo "packages: $*" >&2; exit 1; }
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "'$*' failed"; }; }

said "packing"
for project in LiT LiT.Stores LiT.Tuning LiT.Cli; do
    quietly dotnet pack "$root/src/$project" -c Release -o "$feed" -p:PackageVersion=$version
done
for package in LiT LiT.Stores LiT.Tuning LiT.Cli; do
    [ -f "$feed/$package.$version.nupkg" ] || fail "$package.$version.nupkg was not made"
    unzip -l "$feed/$package.$version.nupkg" >"$work/contents"
    grep -q 'packages.md' "$work/contents" || fail "$package has no readme"
    unzip -p "$feed/$package.$version.nupkg" "$package.nuspec" >"$work/$package.nuspec"
    grep -q 'Apache-2.0' "$work/$package.nuspec" || fail "$package names no licence"
    grep -q '<tags>' "$work/$package.nuspec" || fail "$package has no tags"
done
for package in LiT LiT.Stores LiT.Tuning; do
    [ -f "$feed/$package.$version.snupkg" ] || fail "$package has no symbols"
    unzip -l "$feed/$package.$version.nupkg" | grep -q "lib/net10.0/$package.xml" || fail "$package has no documentation"
done
unzip -l "$feed/LiT.$version.nupkg" | grep -q 'buildTransitive/WeakenSymbolVersion.cs' || fail "LiT does not bring its build step"

# Nothing of the repository is above these projects; what was packed is extracted here and nowhere else.
mkdir -p "$work/outside"
cp -R "$root/samples/." "$work/outside"
rm -f "$work"/outside/Directory.*
cat >"$work/outside/nuget.config" <<END
<configuration>
  <packageSources><add key="packed" value="$feed" /></packageSources>
  <fallbackPackageFolders><add key="machine" value="${NUGET_PACKAGES:-$HOME/.nuget/packages}" /></fallbackPackageFolders>
</configuration>
END
export NUGET_PACKAGES="$work/packages"
build() {
    said "building $1"
    quietly dotnet build "$work/outside/$1" -c Release -p:LiTVersion=$version
}
output() { echo "$work/outside/$1/bin/Release/net10.0/linux-x64"; }

said "installing the tool"
quietly env -C "$work/outside" dotnet tool install LiT.Cli --version $version --tool-path "$work/tools"
lit="$work/tools/lit"
export LIT_CACHE="$work/cache"

# What the tool sets for itself must be what ./lit sets for the program that it built.
"$lit" doctor --json >"$work/doctor.json" || true
grep -q 'OMP_WAIT_POLICY=passive' "$work/doctor.json" || fail "the installed tool lets threads spin"

said "a small model, made by the tool"
mkdir -p "$work/data"
cd "$work/data"
quietly "$lit" data draw --split pairs --count 120 --out .
quietly "$lit" data convert --data pairs.tar --out photos --to folder
quietly "$lit" embed --image-tower cifar-resnet:8 --data pairs.tar --out store
quietly "$lit" tune --data store --out run --text-tower text:width=32,depth=1,heads=2 --steps 10 --batch 16
photo=$(find "$PWD/photos" -name '*.png' | sort | head -n 1)
"$lit" classify "$photo" --model run --labels cat,dog,horse >"$work/by-lit"

build classify-a-photo
program="$(output classify-a-photo)/classify-a-photo"
"$program" run "$photo" cat dog horse >"$work/by-sample"
# Both print the labels best first, with a percentage to one decimal.
for file in by-lit by-sample; do
    grep -oE '(cat|dog|horse)' "$work/$file" | tr '\n' ' ' >"$work/$file.labels"
    grep -oE '[0-9]+\.[0-9]%' "$work/$file" | tr '\n' ' ' >"$work/$file.shares"
done
cmp "$work/by-lit.labels" "$work/by-sample.labels" || fail "the sample's labels are not those of lit classify"
cmp "$work/by-lit.shares" "$work/by-sample.shares" || fail "the sample's probabilities are not those of lit classify"
[ "$(wc -w <"$work/by-sample.labels")" -eq 3 ] || fail "the sample does not answer for three labels"

said "what an application that references LiT restores"
assets="$work/outside/classify-a-photo/obj/project.assets.json"
for unwanted in Parquet Resilience ScottPlot Spectre System.CommandLine SkiaSharp.NativeAssets.Linux; do
    ! grep -qi "\"$unwanted[^\"]*/[0-9]" "$assets" || fail "LiT brings $unwanted"
done
[ ! -e "$(output classify-a-photo)/libSkiaSharp.so" ] || fail "LiT brings Skia's native library"

said "an application without natives"
sed '/libtorch-cpu\|NetVips.Native/d' "$work/outside/classify-a-photo/classify-a-photo.csproj" >"$work/bare.csproj"
mkdir "$work/outside/bare"
cp "$work/bare.csproj" "$work/outside/bare/bare.csproj"
cp "$work/outside/classify-a-photo/Program.cs" "$work/outside/bare"
build bare
rc=0
env -u LD_LIBRARY_PATH "$(output bare)/bare" run "$photo" cat 2>"$work/bare.txt" || rc=$?
[ $rc -eq 1 ] && [ "$(wc -l <"$work/bare.txt")" -eq 1 ] && grep -q 'Add the package libtorch-cpu-linux-x64' "$work/bare.txt" ||
    { cat "$work/bare.txt" >&2; fail "a missing libtorch is not one line that names the package (exit code $rc)"; }

build search-a-folder
"$(output search-a-folder)/search-a-folder" run "$PWD/photos" "$work/own-store" "a red cat" >"$work/found" 2>"$work/update"
[ "$(wc -l <"$work/found")" -eq 10 ] || { cat "$work/found" "$work/update" >&2; fail "the search does not find ten pictures"; }
"$(output search-a-folder)/search-a-folder" run "$PWD/photos" "$work/own-store" "a red cat" 2>&1 >/dev/null |
    grep -q ', 0 of them embedded now' || fail "a second update embeds what was there"

build tune-on-captions
quietly "$(output tune-on-captions)/tune-on-captions" "$PWD/store" "$work/own-run" 10
quietly "$lit" classify "$photo" --model "$work/own-run" --labels cat,dog

build web-api
"$(output web-api)/web-api" --urls http://127.0.0.1:0 --LiT:Model=run --LiT:Labels:0=cat --LiT:Labels:1=dog >"$work/server" 2>&1 &
server=$!
for _ in $(seq 240); do
    address=$(sed -nE 's/.*Now listening on: (http[^ ]*).*/\1/p' "$work/server")
    [ -z "$address" ] || break
    kill -0 $server 2>/dev/null || { cat "$work/server" >&2; fail "the web API ended"; }
    sleep 0.5
done
[ -n "$address" ] || { cat "$work/server" >&2; fail "the web API does not listen"; }
[ "$(curl -sS "$address/health")" = Healthy ] || fail "the web API is not healthy"
curl -sS --data-binary "@$photo" "$address/classify" | grep -q '"labels":\[{"label":"' || fail "/classify gives no labels"
[ "$(curl -sS -o /dev/null -w '%{http_code}' --data-binary 'no picture' "$address/classify")" = 422 ] || fail "/classify takes what is no picture"
curl -sS -H 'Content-Type: application/json' -d '["a cat", "a dog"]' "$address/embed" | grep -q '^\[\[-\?[0-9]' || fail "/embed gives no numbers"

said "all of it works"
