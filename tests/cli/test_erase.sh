#!/bin/sh
# SPDX-License-Identifier: MIT
# S20: of a store that is erased nothing is left: not in its files, whoever still holds them open,
# and not its secret. It is refused while anybody uses the store, and harms nothing else.
set -u
script=test_erase.sh
# shellcheck source=tests/cli/cli_help.sh
. tests/cli/cli_help.sh

mark=planted.mark@erase.example

made() {
    must give "$password" lk init --password-stdin
    must lk user add alice email=$mark
    must give "$password" lk login admin --password-stdin
}

# zeros NAME FILE: the file has content, and nothing but zeros
zeros() {
    is "$1" '0 yes' "$(tr -d '\000' <"$2" | wc -c) $([ -s "$2" ] && echo yes)"
}

# ---- What it leaves, and what it refuses ---------------------------------------------------------

expect 3 'no store there' lk erase --yes
made
cp "$db/secret" "$area/secret"
expect 0 'the mark is in the file' grep -q "$mark" "$db/data.mdb"
run sh -c '"$0" --db "$1" erase </dev/null' "$LATCHKEY" "$db"
is 'nobody to ask, and no --yes' '2 ' "$status $(cat "$area/out")"
expect 0 'the store is as it was' lk verify

"$LATCHKEY" --db "$db" audit follow >"$area/followed" 2>&1 &
follower=$!
while [ ! -s "$area/seen" ]; do
    # Entries come after it looks: the one that it shows proves that it has the store open.
    must give "$password" lk login admin --password-stdin
    cp "$area/followed" "$area/seen"
done
expect 5 'refused while the store is open' lk erase --yes
is 'and says why' 1 "$(grep -c 'in use' "$area/err")"
same 'the secret is untouched' "$db/secret" "$area/secret"
kill "$follower"
wait "$follower" 2>/dev/null
verified 'after the refusal'

# Names that keep the bytes alive: what was overwritten shows through them.
exec 7<"$db/data.mdb" 8<"$db/secret"
expect 0 'erased' lk erase --yes
cat <&7 >"$area/data.after"
cat <&8 >"$area/secret.after"
exec 7<&- 8<&-
zeros 'the data are zeros' "$area/data.after"
zeros 'the secret is zeros' "$area/secret.after"
is 'the directory is gone' no "$([ -e "$db" ] && echo yes || echo no)"
expect 3 'there is nothing to erase again' lk erase --yes
made
verified 'of a new store in its place'

# ---- What is not its own -------------------------------------------------------------------------

echo mine >"$db/notes"
expect 1 'other files in the directory' lk erase --yes
is 'which is said' 1 "$(grep -c 'is erased; other files' "$area/err")"
is 'are left, alone' notes "$(ls -A "$db")"
rm -r "$db"

must give "$password" lk --secret "$area/key" init --password-stdin
cp "$area/key" "$area/key.before"
expect 0 'a secret that was named' lk --secret "$area/key" erase --yes
same 'is left' "$area/key" "$area/key.before"

# What a cut left: data overwritten in part, the secret gone.
made
rm "$db/secret"
dd if=/dev/zero of="$db/data.mdb" bs=4096 count=3 conv=notrunc 2>/dev/null
expect 0 'erased again after a cut' lk erase --yes
is 'and gone' no "$([ -e "$db" ] && echo yes || echo no)"

# A link is not followed, a second name not overwritten.
made
ln "$db/secret" "$area/other-name"
expect 1 'a secret with two names' lk erase --yes
verified 'then'
rm "$area/other-name"
ln -s "$db" "$area/link"
run "$LATCHKEY" --db "$area/link" erase --yes
is 'a symbolic link to the store' 1 "$status"
verified 'then, too'

# ---- An image of flash ---------------------------------------------------------------------------

image=$area/part.img
on_flash() {
    "$LATCHKEY" --storage "flash:$image" "$@"
}
must give "$password" "$LATCHKEY" --storage "flash:$image,count=32" init --password-stdin
must on_flash user add alice email=$mark
expect 0 'the mark is in the image' grep -q "$mark" "$image"
exec 8<"$image.secret"
expect 0 'the image is erased' on_flash erase --yes
cat <&8 >"$area/secret.after"
exec 8<&-
zeros 'its secret is zeros' "$area/secret.after"
is 'and gone' no "$([ -e "$image" ] && echo yes || echo no)"
must give "$password" "$LATCHKEY" --storage "flash:$image,count=32" init --password-stdin
{
    head -c 4096 /dev/zero
    cat "$image"
} >"$area/dump.img"
chmod 600 "$area/dump.img"
expect 0 'a part inside a larger image' \
    "$LATCHKEY" --storage "flash:$area/dump.img,at=4096" --secret "$image.secret" erase --yes
is 'stays, blank' '4096 4096' \
    "$(head -c 4096 "$area/dump.img" | wc -c) $(tr -d '\377' <"$area/dump.img" | wc -c)"

# ---- What is no store ----------------------------------------------------------------------------

mkdir -m 700 "$area/junk"
echo mine >"$area/junk/data.mdb"
echo mine >"$area/junk/secret"
expect 5 'a directory that only looks like one' "$LATCHKEY" --db "$area/junk" erase --yes
is 'is left as it was' 'mine mine' "$(cat "$area/junk/data.mdb") $(cat "$area/junk/secret")"
head -c 131072 /dev/urandom >"$area/any"
chmod 600 "$area/any"
cp "$area/any" "$area/any.before"
expect 5 'a file that is no image' "$LATCHKEY" --storage "flash:$area/any,sector=4K,count=32" erase --yes
same 'is left as it was, too' "$area/any" "$area/any.before"
must give "$password" "$LATCHKEY" --db "$area/own" --secret "$area/key2" init --password-stdin
echo mine >"$area/own/secret"
run "$LATCHKEY" --db "$area/own" erase --yes
is 'a file of another one, named like the secret' mine "$(cat "$area/own/secret")"
