#!/bin/sh
# What is tried out; it knows nothing of the mock. The remote is no repository: a real push would fail.
set -eu

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

git init --quiet --initial-branch main "$directory"
cd "$directory"
git config user.name release
git config user.email release@localhost
git remote add origin "$directory/nowhere"
git commit --quiet --allow-empty --message 'Version 1.0'
git tag v1.0
git push origin main
env -i "$(command -v git)" -C "$directory" push --tags
/usr/bin/git push --tags
git log --format='%s, %D'
