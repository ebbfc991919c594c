#!/bin/sh
# SPDX-License-Identifier: MIT
# Stores in the image of a flash part, from the command line: made, used, looked at, used wrongly;
# the same commands on LMDB and on flash. LATCHKEY names the program.
set -u
script=test_flash.sh
# shellcheck source=tests/cli/cli_help.sh
. tests/cli/cli_help.sh

image=$area/part.img

reader() {
    $python tests/house/spec_reader.py "$@"
}

flash_reader() {
    $python tests/house/flash_reader.py "$@"
}

# A table of what dump tells: its bytes add up, its records are in order and without values.
dump_check() {
    "$LATCHKEY" --json flash dump "$image" --records | $python -c "
import json, sys
rows = [json.loads(line) for line in sys.stdin]
form, health = rows[0], rows[1]
sectors = [r for r in rows if 'state' in r]
records = [r for r in rows if 'key' in r]
assert len(sectors) == form['count'] == 256 and form['sector'] == 4096 and form['unit'] == 4
assert all(s['live_bytes'] + s['dead_bytes'] + s['free_bytes'] == 4096 for s in sectors)
assert sum(s['live_bytes'] for s in sectors) == health['live_bytes']
assert len(records) == health['entries'] and all(r['sound'] for r in records)
assert [r['key'] for r in records] == sorted(r['key'] for r in records)
assert not any('fields' in r for r in records)
users = [r['id'] for r in records if r.get('kind') == 'user']
assert [1, 2, 0] in users and [2, 1, 0] in users, users
"
}

flash() {
    "$LATCHKEY" --storage "flash:$image" "$@"
}

# says NAME TEXT: the last command's standard error has it
says() {
    if grep -qF -- "$2" "$area/err"; then
        pass "$1"
    else
        fail "$1" "$(told)"
    fi
}

# shows NAME TEXT: its standard output has it
shows() {
    if grep -qF -- "$2" "$area/out"; then
        pass "$1"
    else
        fail "$1" "$(told)"
    fi
}

print() {
    sha256sum <"$image"
}

# Times, ids drawn by lot and the size of the rings are what two stores may differ in.
plain() {
    sed -E 's/"[0-9]{4}-[0-9]{2}-[0-9]{2}T[^"]*Z"/"T"/g; s/"external_id":"[-0-9a-f]{36}"/"external_id":"E"/g
        s/"audit_capacity":[0-9]+/"audit_capacity":0/g; s/"prefix":"(lka_.{16}).{4}"/"prefix":"\1"/g' "$1"
}

# ---- The same commands on LMDB and on flash

# of COMMAND...: runs it on both; `lk` and `flash` must answer alike
both() {
    run lk "$@"
    cp "$area/out" "$area/out.lmdb"
    wanted=$status
    run flash "$@"
    if [ "$status" -ne "$wanted" ]; then
        fail "the same status on both: $*" "LMDB $wanted, flash $status
$(told)"
    fi
}

both_with() {
    line=$1
    shift
    give "$line" lk "$@" >"$area/out.lmdb" 2>"$area/err.lmdb"
    wanted=$?
    run give "$line" flash "$@"
    if [ "$status" -ne "$wanted" ]; then
        fail "the same status on both: $*" "LMDB $wanted, flash $status
$(told)"
    fi
}

both_with "$password" init --tenant acme --admin admin --password-stdin
is 'a store was made on flash' 0 "$status"
is 'an image has the size of its part, and its secret beside it' '1048576 600 32 600' \
    "$(stat -c '%s %a' "$image" "$image.secret" | xargs)"
for n in 1 2 3 4 5 6 7 8; do
    both user add "user$n" "email=user$n@example.org" "display_name=Number $n"
done
both_with 'a longer password' user passwd user1 --password-stdin
both_with 'a longer password' login user1 --password-stdin
cp "$area/out" "$area/token"
both_with 'no password' login user1 --password-stdin
is 'a wrong password is refused on flash' 1 "$status"
both_with 'no password' login nobody --password-stdin
both role add guard permissions=user:read
both permission add door:open
both role permit guard door:open
both role grant user1 guard
both user set user2 'metadata={"desk":12}'
both user suspend user3
both user remove user4
both user remove user5
both user restore user5
both user purge user6 --yes
both tenant add second
both --tenant second user add other
both --tenant acme credential add api-key user1 --label meter
both --tenant acme user add user1
is 'a name that is taken is a conflict on flash' 4 "$status"
both --tenant acme user show nobody
is 'a name that is nobody is not found on flash' 3 "$status"
both --tenant acme user list --all
same 'lists are the same' "$area/out.lmdb" "$area/out"
both --tenant acme permission check user1 door:open
both maintain
both compact
both export --all-tenants
plain "$area/out.lmdb" >"$area/lmdb.ndjson"
plain "$area/out" >"$area/flash.ndjson"
same 'the exports are the same' "$area/lmdb.ndjson" "$area/flash.ndjson"
expect 0 'a session made on flash is good there' flash --tenant acme session check "$(cat "$area/token")"
expect 0 'verify --deep is clean on flash' flash verify --deep
expect 0 'the audit chain is good on flash' flash --tenant acme audit verify
expect 0 'a reader that knows SPEC.md only opens the image' reader "$image"
must flash export --all-tenants --with-secrets --output "$area/secrets.ndjson"
expect 0 'and finds the export true' reader "$image" --export "$area/secrets.ndjson" --secrets

# ---- There and back: provisioning, forensics

must lk export --all-tenants --with-secrets --output "$area/device.ndjson"
made=$area/made.img
must "$LATCHKEY" --storage "flash:$made,sector=16K,count=32,unit=8" import --restore --format ndjson \
    "$area/device.ndjson"
must "$LATCHKEY" --storage "flash:$made" export --all-tenants --with-secrets --output "$area/made.ndjson"
same 'an export comes back from flash byte for byte' "$area/device.ndjson" "$area/made.ndjson"
must "$LATCHKEY" --db "$area/again" import --restore --format ndjson "$area/made.ndjson"
must "$LATCHKEY" --db "$area/again" export --all-tenants --with-secrets --output "$area/again.ndjson"
same 'and from LMDB again' "$area/device.ndjson" "$area/again.ndjson"
expect 0 'what was provisioned logs in' give 'a longer password' "$LATCHKEY" --storage "flash:$made" \
    --tenant acme login user1 --password-stdin
expect 4 'a restore is not into a store that has tenants' "$LATCHKEY" --storage "flash:$made" \
    import --restore --format ndjson "$area/device.ndjson"

# The secret of a device, named; and the part in the middle of a chip.
mv "$made.secret" "$area/board.secret"
expect 5 'without its secret it does not open' "$LATCHKEY" --storage "flash:$made" user list
expect 0 'with it, named, it does' "$LATCHKEY" --storage "flash:$made" --secret "$area/board.secret" \
    --tenant acme user list
expect 5 'with another it does not' "$LATCHKEY" --storage "flash:$made" --secret "$image.secret" user list
says 'and says so' "the device secret is not this store's"
{
    head -c 65536 /dev/urandom
    cat "$made"
    head -c 4096 /dev/urandom
} >"$area/chip.img"
chmod 600 "$area/chip.img"
# What a device with less memory can check.
expect 0 'a password that a small device can hash' give "$password" "$LATCHKEY" \
    --storage "flash:$made,memory=1M,passes=3" --secret "$area/board.secret" \
    --tenant acme user passwd user2 --password-stdin
must "$LATCHKEY" --storage "flash:$made" --secret "$area/board.secret" export --all-tenants \
    --with-secrets --output "$area/cheap.ndjson"
is 'and no other is changed' 1 "$(grep -c 'm=1024,t=3,p=1' "$area/cheap.ndjson")"
expect 0 'a part in the middle of a chip' "$LATCHKEY" --storage "flash:$area/chip.img,at=64K" \
    --secret "$area/board.secret" --tenant acme user list
expect 0 'is looked at there, too' "$LATCHKEY" flash verify "$area/chip.img,at=64K"

# ---- Looking

before=$(print)
expect 0 'flash verify' "$LATCHKEY" flash verify "$image"
says 'says what it did not look into' 'give --secret FILE'
expect 0 'flash verify, with the secret' "$LATCHKEY" flash verify "$image" --secret "$image.secret"
shows 'looks into the records' 'index entries: all in order'
expect 5 'flash verify, with another secret' "$LATCHKEY" flash verify "$image" --secret "$area/board.secret"
expect 0 'flash dump' "$LATCHKEY" flash dump "$image"
shows 'tells the newest sector' ' active '
shows 'and the wear' 'erase_max:'
expect 0 'flash dump --json is JSON, and its bytes add up' dump_check
run "$LATCHKEY" --json flash dump "$image" --records --secret "$image.secret"
shows 'with the secret, fields are shown' '"username":"user1"'
if grep -qE '"(secret|verifier|hash|seed|token_hash)":' "$area/out"; then
    fail 'and no secrets' "$(told)"
else
    pass 'and no secrets'
fi
expect 0 'records as text' "$LATCHKEY" flash dump "$image" --records --secret "$image.secret"
shows 'have kind and id' 'user 1/2/0'
chmod 444 "$image"
expect 0 'an image that is only to be read' "$LATCHKEY" flash dump "$image"
chmod 600 "$image"
expect 0 'reading commands' flash --tenant acme user list
is 'nothing of this changed the image' "$before" "$(print)"

# ---- Doing it wrong

# wrong STATUS STORAGE TEXT: refused so, with this
wrong() {
    expect "$1" "--storage $2" "$LATCHKEY" --storage "$2" user list
    says "  says: $3" "$3"
}
wrong 2 flash: 'names no image'
wrong 2 floppy:a 'is no storage: flash:IMAGE or lmdb:DIR'
wrong 2 "flash:$image,sector=1000" 'sector: "1000" is not a sector'"'"'s size: 1K to 256K, in steps of 1K'
wrong 2 "flash:$image,count=3" 'count: "3" is not a number of sectors: 4 to 32767'
wrong 2 "flash:$image,unit=2" 'unit: "2" is not a program unit'
wrong 2 "flash:$image,value=100" 'value: "100" is not what a record may have'
wrong 2 "flash:$image,lean=2" 'storage: lean: "2" is neither 1 nor 0'
wrong 2 "flash:$image,secter=4K" '"secter=4K" is none of sector=, count=, unit=, value=, at=, memory=, passes= and lean='
wrong 2 "flash:$image,unit=4,unit=4" '"unit=4" is given twice'
wrong 2 "flash:$image,count=16" 'count: "16" is not the image'"'"'s, which has 256'
wrong 3 "flash:$area/none.img" 'is not there; latchkey init makes it'
wrong 5 "flash:$image.secret" 'has no sector'"'"'s header that holds'
wrong 1 "flash:$area" 'is not a regular file'
ln -s "$image" "$area/link.img"
wrong 1 "flash:$area/link.img" 'is a symbolic link'
head -c 500000 "$image" >"$area/short.img"
chmod 600 "$area/short.img"
wrong 5 "flash:$area/short.img" 'ends before'
chmod 666 "$area/short.img"
wrong 1 "flash:$area/short.img" 'can be written by other users'
expect 4 'init leaves an image as it is' flash init
says 'and says so' 'the image is there already'
expect 2 'init, with a part that is none' "$LATCHKEY" --storage "flash:$area/x.img,count=2" init
expect 2 'init, in the middle of a chip' "$LATCHKEY" --storage "flash:$area/x.img,at=4K" init
is 'leaves nothing behind' '' "$(find "$area" -name '*x.img*')"
expect 2 'backup' flash backup "$area/backup"
says 'is for directories' 'copy the image and its secret'
expect 2 'import --backup' "$LATCHKEY" --storage "flash:$area/x.img" import --backup "$db"
expect 2 'audit follow' flash --tenant acme audit follow
says 'would wait for ever' 'nobody else can write this store'
run flock -x "$image" "$LATCHKEY" --storage "flash:$image" --tenant acme user list
is 'an image that another process writes is busy' 5 "$status"
says 'and says so' 'is in use by another process'
expect 5 'for writing, if another one reads' flock -s "$image" "$LATCHKEY" --storage "flash:$image" \
    --tenant acme user add late
expect 0 'readers go side by side' flock -s "$image" "$LATCHKEY" --storage "flash:$image" \
    --tenant acme user list
expect 0 'the last of --db and --storage counts' "$LATCHKEY" --db "$area/none" --storage "lmdb:$db" \
    --tenant acme user list
expect 0 'LATCHKEY_STORAGE names it, too' env LATCHKEY_STORAGE="flash:$image" LATCHKEY_DB="$area/none" \
    "$LATCHKEY" --tenant acme user list

# Parts that are too small say so, and stay as they are.
small=$area/small.img
must "$LATCHKEY" --storage "flash:$small,sector=1K,count=16" init
for n in $(seq 40); do
    run "$LATCHKEY" --storage "flash:$small" user add "user$n" "email=user$n@example.org"
    [ "$status" -eq 0 ] || break
done
is 'a part that is full is a failure of the store' 5 "$status"
says 'and says so' 'no room is left'
expect 0 'removing goes on' "$LATCHKEY" --storage "flash:$small" user purge user1 --yes
expect 0 'and it is sound' "$LATCHKEY" --storage "flash:$small" verify --deep
expect 4 'a record that is too large for a sector' "$LATCHKEY" --storage "flash:$small" user set user2 \
    "metadata={\"a\":\"$(head -c 900 /dev/zero | tr '\0' x)\"}"
says 'says so' 'larger than a record may be in this store'

# ---- Secrets and purges

must flash --tenant acme user add vanishing email=vanishing@example.org
grep -qa vanishing "$image" && pass 'a name is readable in the image'
must flash --tenant acme user purge vanishing --yes
if grep -qa vanishing@ "$image"; then
    fail 'what was purged is nowhere in the image'
else
    pass 'what was purged is nowhere in the image'
fi
cp "$image" "$area/old.img" && cp "$image.secret" "$area/old.secret"
expect 0 'another device secret' flash rekey
expect 5 'the old one opens nothing' "$LATCHKEY" --storage "flash:$image" --secret "$area/old.secret" stats
expect 0 'another store key' flash rekey --full
expect 0 'verify is clean after both' flash verify --deep
expect 0 'a reader that knows SPEC.md only agrees' reader "$image"

# ---- Golden images

for form in narrow wide; do
    expect 0 "flash_$form, by SPEC.md only" flash_reader "tests/golden/flash_$form.hex" \
        --map "tests/golden/flash_${form}_map.hex" --types --binary "$area/$form.img"
    cat "$area/out" >>"$area/types"
    expect 0 "flash_$form, verified" "$LATCHKEY" flash verify "$area/$form.img"
    run "$LATCHKEY" --json flash dump "$area/$form.img" --records
    grep -o '"key":"[0-9a-f]*"' "$area/out" | sed 's/.*:"//; s/"//' >"$area/keys"
    sed -n '/^key$/,/^value$/{/^ /p}' "tests/golden/flash_${form}_map.hex" | tr -d ' ' >"$area/wanted"
    same "flash_$form, its keys" "$area/wanted" "$area/keys"
    shows "flash_$form, its bad sector" '"state":"retired"'
done
for type in $(sed -n 's/^\([A-Z ]*\): .*/\1/p' "$area/types" | sort -u | tr ' ' _); do
    if grep -qE "^$(echo "$type" | tr _ ' '): [1-9]" "$area/types"; then
        pass "the golden images have frames of type $type"
    else
        fail "the golden images have frames of type $type"
    fi
done
sed 's/^| 8 | COMMIT |/| 8 | COMMITTED |/' SPEC.md >"$area/wrong.md"
expect 1 'the reader does look: a type' flash_reader --spec "$area/wrong.md" \
    tests/golden/flash_narrow.hex --map tests/golden/flash_narrow_map.hex
sed 's/^| 28 | 4 | \*from\*/| 24 | 4 | *from*/' SPEC.md >"$area/wrong.md"
expect 1 'the reader does look: a place' flash_reader --spec "$area/wrong.md" \
    tests/golden/flash_narrow.hex --map tests/golden/flash_narrow_map.hex
chmod 600 "$area/narrow.img"
expect 3 'a map without a store in it' "$LATCHKEY" --storage "flash:$area/narrow.img" --secret "$image.secret" stats
says 'says so' 'the image holds no store'

# ---- Damage, and processes that are killed

$python - "$image" "$area" <<'END'
import random, sys
data = open(sys.argv[1], "rb").read()
draw = random.Random(4)
live = [i for i in range(0, len(data), 4096) if data[i + 64:i + 4096].strip(b"\xff")]
for n in range(24):
    bad = bytearray(data)
    for _ in range(1 + n % 4):
        at = draw.choice(live) + draw.randrange(48, 2000)
        bad[at] ^= 1 << draw.randrange(8)
    open(f"{sys.argv[2]}/bad{n}.img", "wb").write(bad)
END
found=0 other=0
for n in $(seq 0 23); do
    run "$LATCHKEY" flash verify "$area/bad$n.img" --secret "$image.secret"
    case $status in
    0) ;;
    1 | 5) found=$((found + 1)) ;;
    *) other=$((other + 1)) ;;
    esac
    run "$LATCHKEY" flash dump "$area/bad$n.img" --records --secret "$image.secret"
    [ "$status" -le 5 ] || other=$((other + 1))
done
is 'no damaged image ends the program otherwise than by an answer' 0 "$other"
if [ "$found" -ge 8 ]; then
    pass "damage is found ($found of 24; other bits are free or dead)"
else
    fail "damage is found ($found of 24)"
fi

lost=0 unsound=0
for n in $(seq 12); do
    seq 40 | sed "s/.*/killed$n-&/; 1i username" >"$area/killed.csv"
    flash --tenant acme import --format csv "$area/killed.csv" >"$area/out" 2>"$area/err" &
    victim=$!
    $python -c "import time; time.sleep($n * 0.004)"
    kill -9 "$victim" 2>/dev/null
    wait "$victim" 2>/dev/null
    flash verify --deep >/dev/null 2>&1 || unsound=$((unsound + 1))
    flash --tenant acme user show user1 >/dev/null 2>&1 || lost=$((lost + 1))
done
is 'killed at any moment, the image is sound' 0 "$unsound"
is 'and nothing that was there is lost' 0 "$lost"
expect 0 'and it is written on' flash --tenant acme user add after
