#!/bin/sh
# Compiles Proto/ with protoc-c into C sources (for Sources/CTurbineProto) and into a descriptor set
# (for Clients/python). Run it after each change of a .proto file and commit what it writes.
#
#   Proto/generate.sh            writes into the repository
#   Proto/generate.sh FOLDER     writes into FOLDER instead, in the same layout; for the drift test
#
# protoc-c 1.4 does not know `optional` in proto3. In protobuf an optional field IS a oneof of one
# field, on the wire and in the descriptor, so protoc-c is given copies of the files in which
# `optional T name = N;` reads `oneof has_name { T name = N; }`. The descriptor set is made from the
# files as they are.
set -eu
cd "$(dirname "$0")"
root=${1:-..}
sources="$root/Sources/CTurbineProto"
python="$root/Clients/python/src/turbine_client"
copies=$(mktemp -d)
trap 'rm -rf "$copies"' EXIT
mkdir -p "$copies/turbine/v1" "$sources/include/turbine/v1" "$sources/turbine/v1" "$python"
for file in turbine/v1/*.proto; do
    sed -E 's/^( *)optional ([a-z0-9A-Z.]+) ([a-z0-9_]+) = ([0-9]+);/\1oneof has_\3 { \2 \3 = \4; }/' \
        "$file" > "$copies/$file"
done
protoc-c --proto_path="$copies" --c_out="$copies" turbine/v1/*.proto
mv "$copies"/turbine/v1/*.pb-c.h "$sources/include/turbine/v1/"
mv "$copies"/turbine/v1/*.pb-c.c "$sources/turbine/v1/"
protoc-c --proto_path=. --descriptor_set_out="$python/turbine_v1.desc" turbine/v1/*.proto
