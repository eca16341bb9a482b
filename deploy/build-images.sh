#!/bin/sh
# Builds both images where Docker is: deploy/build-images.sh [version]
set -eu
cd "$(dirname "$0")/.."
version=${1:-$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)}
revision=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
for target in server agent; do
  name=remuda
  [ "$target" = server ] || name=remuda-agent
  docker build --file deploy/Dockerfile --target "$target" --tag "$name:$version" --tag "$name:latest" \
    --build-arg "VERSION=$version" --build-arg "REVISION=$revision" .
done
