#!/usr/bin/env bash
# Packs, and then does what a stranger does: makes projects outside the repository with nothing but package
# references, builds and runs each sample, installs the command line as a tool, and looks whether the answers are
# right. Everything is made in a folder that is gone afterwards. Packages are the ones made here, or those that building
# the repository has left on the machine; one alone is fetched, the ResNet-18 of ML.NET, and its sample is passed over
# with a word where no package source gives it. For 64-bit Linux; about four minutes on two cores.
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
unset OMP_WAIT_POLICY MALLOC_MMAP_THRESHOLD_ MALLOC_TRIM_THRESHOLD_ LIT_CACHE LIT_ISA LD_LIBRARY_PATH
version=0.1.0-packed.$(date +%s) # never one that a cache of the machine knows already
feed="$work/feed"
libraries="LiT LiT.Onnx LiT.Stores LiT.USearch LiT.Server LiT.Tuning LiT.Mpi" packages="$libraries LiT.Cli"

said() { echo "packages: $* (${SECONDS} s)" >&2; }
fail() { echo "packages: $*" >&2; exit 1; }
# Output goes to a file first: a 'grep -q' at the end of a pipe ends early, and then the pipe's beginning has failed.
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "'$*' failed"; }; }
holds() { grep -q -- "$1" "$2" || { cat "$2" >&2; fail "$3"; }; }
same() { cmp -s "$1" "$2" || { diff "$1" "$2" >&2 || true; fail "$3"; }; }

packs() {
    local package kind tool commit
    commit=$(git -C "$root" rev-parse HEAD 2>/dev/null || true) # none in sources that were copied
    for tool in unzip curl cmp; do
        command -v $tool >/dev/null || fail "needs '$tool', which is not on the PATH"
    done
    said "packing"
    quietly env -C "$root" dotnet pack -c Release -o "$feed" --artifacts-path "$work/artifacts" \
        -p:PackageVersion=$version -p:ContinuousIntegrationBuild=true -p:RunAnalyzers=false
    for package in $packages; do
        local inside="$work/inside/$package"
        mkdir -p "$inside"
        for kind in nupkg snupkg; do
            [ -f "$feed/$package.$version.$kind" ] || fail "$package.$version.$kind was not made"
            quietly unzip -q "$feed/$package.$version.$kind" -d "$inside/$kind"
        done
        inside="$inside/nupkg"
        cmp -s "$inside/packages.md" "$root/docs/packages.md" || fail "$package has no readme"
        holds '<license type="expression">Apache-2.0' "$inside/$package.nuspec" "$package names no licence"
        holds '<readme>packages.md' "$inside/$package.nuspec" "$package names no readme"
        holds '<tags>' "$inside/$package.nuspec" "$package has no tags"
        [ -z "$commit" ] || holds "commit=\"$commit\"" "$inside/$package.nuspec" "$package does not say its commit"
        ! grep -rlaF "$root" "$work/inside/$package" >"$work/log" ||
            fail "this machine's paths stand in $(cat "$work/log")"
    done
    for package in $libraries; do
        [ -f "$work/inside/$package/snupkg/lib/net10.0/$package.pdb" ] || fail "$package has no symbols"
        [ -f "$work/inside/$package/nupkg/lib/net10.0/$package.xml" ] || fail "$package has no documentation"
        # Sources can be linked to where the repository has an address.
        case $(git -C "$root" remote get-url origin 2>/dev/null || true) in
        https://*)
            grep -qa '"documents"' "$work/inside/$package/snupkg/lib/net10.0/$package.pdb" ||
                fail "$package has no SourceLink"
            ;;
        esac
    done
    [ -f "$work/inside/LiT/nupkg/buildTransitive/WeakenSymbolVersion.cs" ] || fail "LiT does not bring its build step"
    ! grep -qa drawings-tower "$work/inside/LiT/nupkg/lib/net10.0/LiT.dll" || fail "LiT carries the drawings' weights"
    rm -rf "$work/inside" "$work/artifacts"
}

# Nothing of the repository is above these projects; what was packed is extracted here and nowhere else.
goes_outside() {
    mkdir -p "$work/outside"
    cp -R "$root/samples/." "$work/outside"
    rm -f "$work"/outside/Directory.*
    local machine=${NUGET_PACKAGES:-$HOME/.nuget/packages}
    cat >"$work/outside/nuget.config" <<END
<configuration>
  <packageSources><clear /><add key="packed" value="$feed" /></packageSources>
  <fallbackPackageFolders><add key="machine" value="$machine" /></fallbackPackageFolders>
</configuration>
END
    export NUGET_PACKAGES="$work/packages"
}

installs() {
    said "installing the tool"
    quietly env -C "$work/outside" dotnet tool install LiT.Cli --version $version --tool-path "$work/tools"
    lit="$work/tools/lit"
    mkdir "$work/data"
    cd "$work/data"
}

# What doctor finds, without what changes by the minute.
finds() { "$@" doctor --json | sed -E '/free space/,/found/d; s/[0-9.]+ GiB/GiB/g'; }

# Output, talk and exit code of one command line, by the tool and by ./lit.
alike() {
    local rc by
    for by in tool script; do
        rc=0
        if [ $by = tool ]; then "$lit" "$@"; else "$root/lit" "$@"; fi >"$work/$by.out" 2>"$work/$by.err" || rc=$?
        echo $rc >"$work/$by.rc"
    done
    for what in rc out err; do
        same "$work/script.$what" "$work/tool.$what" "the tool does not do for '$*' what ./lit does ($what)"
    done
}
ends_with() { [ "$(cat "$work/tool.rc")" -eq "$1" ] || fail "'lit $2' ends with $(cat "$work/tool.rc"), not $1"; }

behaves() {
    said "the tool beside ./lit"
    finds "$root/lit" >"$work/script.found"
    finds "$lit" >"$work/tool.found"
    same "$work/script.found" "$work/tool.found" "the installed tool finds another machine than ./lit"
    holds 'OMP_WAIT_POLICY=passive' "$work/tool.found" "the installed tool lets threads spin"
    alike --version && ends_with 0 --version
    alike && ends_with 0 ""
    alike tune --help && ends_with 0 "tune --help"
    alike models list --json && ends_with 0 "models list"
    alike nothing && ends_with 2 nothing
    alike classify x.png --model run && ends_with 2 "classify without labels"
    alike classify x.png --model nowhere --labels cat && ends_with 1 "classify without a model"
}

makes_a_model() {
    said "quickstart, by the tool"
    quietly "$lit" quickstart --pairs 1000 --steps 150 --out quickstart
    for file in report.html run/model/model.json run/model/text.safetensors stores/pairs/store.json; do
        [ -s "quickstart/$file" ] || fail "the quickstart makes no $file"
    done
    model="$work/data/quickstart/run" store="$work/data/quickstart/stores/pairs"
    quietly "$lit" verify "$model"
    quietly "$lit" data draw --split test --count 200 --out drawn
    mkdir photos
    tar -xf drawn/test.tar -C photos
    photos="$work/data/photos"
}

# Pages that the process took from the system while it lived: many where large tensors are unmapped and mapped again.
faults() {
    local made=0 now process
    "$@" >"$work/log" 2>&1 &
    process=$!
    while now=$(cut -d ' ' -f 10 "/proc/$process/stat" 2>/dev/null) && [ -n "$now" ]; do
        [ "$now" -eq 0 ] || made=$now
        sleep 0.1
    done
    wait $process || { cat "$work/log" >&2; fail "'$*' failed"; }
    echo "$made"
}

# The two of the three settings of ./lit that no variable shows: the tool tells them to the C library itself.
keeps_pages() {
    local tune=("$lit" tune --data "$store" --text-tower "text:width=128,depth=2,heads=2" --steps 120 --batch 128)
    local kept setting lost
    kept=$(faults "${tune[@]}" --out kept)
    for setting in MALLOC_MMAP_THRESHOLD_ MALLOC_TRIM_THRESHOLD_; do
        lost=$(faults env $setting=131072 "${tune[@]}" --out "lost-$setting")
        # Two fifths more for the one, twenty times as many for the other; what is kept varies by a fiftieth. Fewer steps
        # show less of it: the start takes pages of its own.
        [ "$lost" -gt $((kept * 6 / 5)) ] ||
            fail "the tool takes $kept pages, and $lost where $setting is as the system has it: it does not set it"
    done
}

builds() {
    said "building the samples from packages"
    local bare="$work/outside/bare" blind="$work/outside/blind" library="$work/outside/library"
    mkdir "$bare" "$blind" "$library"
    sed '/libtorch-cpu\|NetVips.Native/d' "$work/outside/classify-a-photo/classify-a-photo.csproj" >"$bare/bare.csproj"
    sed '/NetVips.Native/d' "$work/outside/classify-a-photo/classify-a-photo.csproj" >"$blind/blind.csproj"
    cp "$work/outside/classify-a-photo/Program.cs" "$bare"
    cp "$work/outside/classify-a-photo/Program.cs" "$blind"
    cat >"$library/library.csproj" <<END
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup><PackageReference Include="LiT.Tuning" Version="$version" /></ItemGroup>
</Project>
END
    {
        echo '<Solution>'
        for name in classify-a-photo search-a-folder tune-on-captions web-api bare blind library; do
            echo "<Project Path=\"$name/$name.csproj\" />"
        done
        echo '</Solution>'
    } >"$work/outside/outside.slnx"
    # A class library has no natives to mend, and a second build none left: neither says a word.
    for _ in 1 2; do
        quietly dotnet build "$work/outside/outside.slnx" -c Release -p:LiTVersion=$version
        holds ' 0 Warning(s)' "$work/log" "building from packages warns"
        ! grep -qi weak "$work/log" || { cat "$work/log" >&2; fail "the build step of LiT talks"; }
    done
    for name in classify-a-photo search-a-folder tune-on-captions web-api; do
        [ "$(wc -l <"$root/samples/$name/Program.cs")" -lt 40 ] || fail "samples/$name has 40 lines or more"
    done
}
output() { echo "$work/outside/$1/bin/Release/net10.0/linux-x64"; }

brings_little() {
    local assets="$work/outside/classify-a-photo/obj/project.assets.json" unwanted
    for unwanted in Parquet Resilience Polly ScottPlot Spectre System.CommandLine SkiaSharp.NativeAssets.Linux; do
        ! grep -qi "\"$unwanted[^\"]*/[0-9]" "$assets" || fail "LiT brings $unwanted"
    done
    # TorchSharp asks for SkiaSharp; one line of the samples keeps it out of what is delivered.
    for name in classify-a-photo search-a-folder tune-on-captions web-api; do
        find "$(output $name)" -iname '*skia*' >"$work/log"
        [ ! -s "$work/log" ] || fail "$name carries $(cat "$work/log")"
    done
}

classifies() {
    said "classify-a-photo"
    local program right=0 photo kind
    program="$(output classify-a-photo)/classify-a-photo"
    for number in 0 1 2 3 4 5; do
        photo="$photos/test-00000$number.png"
        kind=$(sed -nE 's/.*"kind":"([^"]*)".*/\1/p' "${photo%.png}.json")
        "$program" "$model" "$photo" "$kind" submarine giraffe >"$work/by-sample"
        "$lit" classify "$photo" --model "$model" --labels "$kind,submarine,giraffe" >"$work/by-lit" 2>"$work/log"
        # Both print the labels best first, with a percentage to one decimal.
        for by in sample lit; do
            grep -oE "([0-9]+\.[0-9]%|$kind|submarine|giraffe)" "$work/by-$by" | sort >"$work/by-$by.said"
        done
        same "$work/by-lit.said" "$work/by-sample.said" "the sample answers otherwise than lit classify"
        [ "$(wc -l <"$work/by-sample")" -eq 3 ] || fail "the sample does not answer for three labels"
        ! head -n 1 "$work/by-sample" | grep -F "$kind" >"$work/log" || right=$((right + 1))
    done
    [ $right -ge 5 ] || fail "the sample is right about $right photos of 6"
    local rc=0
    "$program" "$model" "$work/nowhere.jpg" cat dog >"$work/log" 2>"$work/error" || rc=$?
    [ $rc -eq 1 ] && [ ! -s "$work/log" ] && [ "$(wc -l <"$work/error")" -eq 1 ] ||
        fail "a photo that is not there is not one line"
}

misses_natives() {
    local name package rc
    for name in bare blind; do
        rc=0
        "$(output $name)/$name" "$model" "$photos/test-000000.png" cat 2>"$work/said" || rc=$?
        [ $rc -eq 1 ] && [ "$(wc -l <"$work/said")" -eq 1 ] ||
            { cat "$work/said" >&2; fail "a missing native is not one line"; }
        [ $name = bare ] && package='libtorch-cpu-linux-x64 2.10.0' || package='NetVips.Native.linux-x64 8.18.7'
        # Where the system has a libtorch of its own, the sentence is another one, with the same package in it.
        holds "package $package" "$work/said" "a missing native is not named"
    done
}

searches() {
    said "search-a-folder"
    local program words
    program="$(output search-a-folder)/search-a-folder"
    words=$(sed -nE 's/.*"composition":"([^"]*)".*/\1/p' "$photos/test-000007.json")
    "$program" "$model" "$photos" "$work/own-store" "a $words" >"$work/found" 2>"$work/update"
    holds '^200 pictures, 200 of them embedded now' "$work/update" "the sample does not embed 200 pictures"
    [ "$(wc -l <"$work/found")" -eq 10 ] || { cat "$work/found" >&2; fail "the search does not find ten pictures"; }
    # Of the three that fit best, one is what was asked for.
    head -n 3 "$work/found" | sed -E 's/^[-0-9.]+ +//; s/\.png$/.json/' >"$work/best"
    (cd "$photos" && while read -r origin; do cat "$(basename "$origin")"; done <"$work/best") >"$work/compositions"
    holds "\"composition\":\"$words\"" "$work/compositions" "'a $words' is not among the best three"
    "$lit" search "a $words" --model "$model" --data "$work/own-store" --json >"$work/by-lit" 2>"$work/log"
    sed -nE 's/.*"origin": "(.*)".*/\1/p' "$work/by-lit" >"$work/by-lit.found"
    sed -E 's/^[-0-9.]+ +//' "$work/found" >"$work/by-sample.found"
    same "$work/by-lit.found" "$work/by-sample.found" "the sample finds other pictures than lit search"
    "$program" "$model" "$photos" "$work/own-store" "a $words" >"$work/again" 2>"$work/update"
    holds '^200 pictures, 0 of them embedded now' "$work/update" "a second update embeds what was there"
    same "$work/found" "$work/again" "the same search finds something else"
}

tunes() {
    said "tune-on-captions"
    quietly "$(output tune-on-captions)/tune-on-captions" "$store" "$work/own-run" 40
    cp "$work/log" "$work/tuned"
    holds '^[A-Za-z.]*: ' "$work/tuned" "the plan gives no reasons"
    holds 'loss [0-9.]* after 40 steps' "$work/tuned" "the sample does not say what it saved"
    quietly "$lit" tune --data "$store" --out by-lit --text-tower "text:width=128,depth=2,heads=2" --steps 40
    same by-lit/model/text.safetensors "$work/own-run/model/text.safetensors" "the sample tunes another than lit tune"
    quietly "$lit" verify "$work/own-run"
}

takes_a_tower_from_a_package() {
    said "a-tower-from-a-package"
    local at="$work/outside/a-tower-from-a-package" sources=(--source "$feed") source
    [ "$(wc -l <"$root/samples/a-tower-from-a-package/Program.cs")" -lt 40 ] || fail "the sample has 40 lines or more"
    while read -r source; do
        sources+=(--source "$source")
    done < <(cd "$root" && dotnet nuget list source --format Short | sed -n 's/^E //p')
    if ! env -C "$at" dotnet restore -p:LiTVersion=$version "${sources[@]}" >"$work/log" 2>&1; then
        cat "$work/log" >&2
        said "passed over: no package source of this machine gives the ResNet-18"
        return
    fi
    quietly dotnet build "$at" -c Release --no-restore -p:LiTVersion=$version
    mkdir some
    for number in 0 1 2 3 4 5 6 7; do cp "$photos"/test-00000$number.* some; done
    quietly "$(output a-tower-from-a-package)/a-tower-from-a-package" some tower-run 3
    cp "$work/log" "$work/tuned"
    holds 'after 3 steps' "$work/tuned" "the sample does not say what it saved"
    quietly "$lit" verify tower-run
}

serves() {
    said "web-api"
    local photo="$photos/test-000000.png" address= kind
    kind=$(sed -nE 's/.*"kind":"([^"]*)".*/\1/p' "${photo%.png}.json")
    "$(output web-api)/web-api" --urls http://127.0.0.1:0 --LiT:Model="$model" --LiT:Labels:0=submarine \
        --LiT:Labels:1="$kind" >"$work/server" 2>&1 &
    server=$!
    for _ in $(seq 240); do
        address=$(sed -nE 's/.*Now listening on: (http[^ ]*).*/\1/p' "$work/server")
        [ -z "$address" ] || break
        kill -0 $server 2>/dev/null || { cat "$work/server" >&2; fail "the web API ended"; }
        sleep 0.5
    done
    [ -n "$address" ] || { cat "$work/server" >&2; fail "the web API does not listen"; }
    asks() { curl -sS --noproxy '*' --max-time 60 "$@" >"$work/answer"; }
    asks "$address/health"
    [ "$(cat "$work/answer")" = Healthy ] || fail "the web API is not healthy"
    asks --data-binary "@$photo" "$address/classify"
    holds "^{\"labels\":\[{\"label\":\"$kind\"" "$work/answer" "/classify does not say $kind"
    asks -w '%{http_code}' --data-binary 'no picture' "$address/classify"
    holds '422$' "$work/answer" "/classify takes what is no picture"
    asks -H 'Content-Type: application/json' -d '["a cat", "a dog"]' "$address/embed"
    holds '^\[\[-\{0,1\}[0-9]' "$work/answer" "/embed gives no numbers"
}

packs
goes_outside
installs
behaves
makes_a_model
keeps_pages
builds
brings_little
classifies
misses_natives
searches
tunes
takes_a_tower_from_a_package
serves
said "all of it works"
