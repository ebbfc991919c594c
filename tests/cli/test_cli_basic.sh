#!/bin/sh
# SPDX-License-Identifier: MIT
# Every command of the program, right and wrong. LATCHKEY names the program.
set -u

# shellcheck source=tests/cli/cli_check.sh
. "$(dirname "$0")/cli_check.sh"

# ---- No store yet

lk 0 --version 'latchkey 0.'
lk 0 'help' 'exit status'
lk 0 'user add --help' 'usage: latchkey user add NAME'
lk 0 'describe user' 'login name, unique in the tenant'
lk 3 'user list' 'latchkey init makes one'
lk 3 '--json user list' '{"error":{"code":"not_found","field":"store"'
lk 2 '' 'a command is missing'
lk 2 'usr list' 'did you mean "user"?'

# ---- The first start

lk 2 'init --password-stdin' 'standard input ended before it'
check 4 "echo short | '$LATCHKEY' init --password-stdin" password
lk 0 'init --tenant factory' 'claim code: '
claim=$(sed -n 's/^claim code: //p' out)
lk 4 'init' 'holds something already'
check 1 "echo 'AAAA-BBBB-CCCC-DDDD' | '$LATCHKEY' login admin --password-stdin"
check 4 "echo '$claim' | '$LATCHKEY' login admin --password-stdin" 'must be changed'
check 4 "printf '%s\nshort\n' '$claim' | '$LATCHKEY' login admin --password-stdin" password
check 0 "printf '%s\na longer password\n' '$claim' | '$LATCHKEY' login admin --password-stdin"
also 0 "grep -qxE 'lks_[A-Za-z0-9_-]{43}' out"
check 1 "printf '%s\nanother password\n' '$claim' | '$LATCHKEY' login admin --password-stdin"

# ---- Users

lk 0 "user add alice email=alice@example.org 'display_name=Alice A.'" 'user alice is #2'
lk 0 "--json user add bob 'metadata={\"room\":[1,-2,null]}'" '"metadata":{"room":[1,-2,null]}'
lk 4 'user add carol email=al@' \
    'latchkey: user add: email: "al@" is not an e-mail address (RFC 5321 mailbox)'
lk 4 'user add ALICE' 'username: "ALICE" is taken'
lk 4 'user add carol email=ALICE@example.org' 'email: '
lk 4 "user add ''" 'username'
lk 4 'user add carol display_name=x' 'display_name: "x" is too short'
lk 2 'user add carol metadata=nonsense' 'metadata: '
lk 2 'user add carol external_id=nonsense' 'is not a UUID'
lk 2 'user add carol password=hunter2' 'a secret is never an argument'
lk 0 'user show alice' 'email:                alice@example.org' 'activity_status:      Unknown'
lk 0 'user show alice@example.org' 'username:             alice'
lk 0 "user show '#2'" 'username:             alice'
lk 3 'user show nobody' 'user: "nobody" does not exist'
lk 3 "user show '#99'"
lk 0 'user find email=alice@example.org' 'username:             alice'
lk 3 'user find username=nobody' 'there is none with this'
lk 2 'user find display_name=x' 'is by username='
lk 0 'user set alice email= display_name=Alice'
lk 0 'user find username=alice' 'email:                -'
lk 4 'user set alice username=' 'username: is required'
lk 2 'user set alice' 'say what to set'
lk 0 'user list' 'USERNAME' '3 shown'
lk 0 'user list --limit 2' 'more: --after '
cursor=$(sed -n 's/.*--after //p' err)
lk 0 "user list --after $cursor" '1 shown' bob
lk 0 'user list --by username --reverse --columns username' USERNAME
also 0 "printf 'USERNAME\nbob\nalice\nadmin\n' | cmp - out"
lk 0 '--json user list --limit 1' '{"page":{"count":1,"next":"'
lk 0 'user list status=suspended' '0 shown'
lk 0 'user list email=' '3 shown'
lk 0 'user list roles=admin' '1 shown'
lk 0 'user list activity_status=Active' '1 shown'
check 2 "'$LATCHKEY' user passwd alice" 'give --password-stdin'
check 4 "echo short | '$LATCHKEY' user passwd alice --password-stdin" password
check 0 "echo 'correct horse' | '$LATCHKEY' user passwd alice --password-stdin"
check 0 "echo 'correct horse' | '$LATCHKEY' login alice --password-stdin"
token=$(cat out)

# ---- Sessions

lk 0 "session check $token" 'user:          alice (#2)' 'expires_at:'
lk 0 "--json session check $token" '"user":"alice"' '"tenant":"factory"' '"roles":[]'
check 0 "echo $token | '$LATCHKEY' session check -"
lk 1 "session check $token --permission user:read"
lk 2 "session check $token --permission user" 'resource:action'
lk 1 'session check lks_nonsense'
check 2 "'$LATCHKEY' session check -" 'standard input holds none'
lk 0 'session list alice' '2.1'
lk 0 'session list channel=cli' '2.1'
lk 3 'session end 2.99'
lk 2 'session end nonsense'
lk 0 "session end-all alice --except $token" '0 sessions ended'
lk 1 "session end-all admin --except $token" 'is not a session of this user'
lk 0 'session end 2.1'
lk 1 "session check $token"
check 0 "echo 'correct horse' | '$LATCHKEY' login alice --password-stdin"
token=$(cat out)
lk 0 "logout $token"
lk 1 "logout $token"
check 1 "echo 'wrong horse' | '$LATCHKEY' login alice --password-stdin"
also 0 "test ! -s out && test \"\$(cat err)\" = 'login refused'"
check 1 "echo 'wrong horse' | '$LATCHKEY' login nobody --password-stdin"
also 0 "test \"\$(cat err)\" = 'login refused'"
check 1 "echo 'correct horse' | '$LATCHKEY' --tenant nowhere login alice --password-stdin"
also 0 "test \"\$(cat err)\" = 'login refused'"

# ---- Roles and permissions

lk 0 'role list' operator
lk 0 'role grant alice operator'
lk 0 'permission check alice user:write' allowed
lk 1 'permission check alice store:write' refused
lk 0 'permission why alice user:write' 'has the role operator' 'has the permission user:write'
lk 1 'permission why alice door:open' 'no role of alice'
lk 3 'permission check nobody user:write'
lk 3 'role grant alice nothing' 'role: "nothing" does not exist'
lk 0 'role revoke alice operator'
lk 3 'role revoke alice operator'
lk 1 'permission check alice user:write'
lk 0 'permission add door:open' 'permission door:open is #'
lk 2 'permission add dooropen' 'give resource= and action='
lk 0 'permission add lock resource=door action=lock'
lk 4 'permission add lock resource=door action=lock' 'is taken'
lk 0 'role add guard permissions=door:open description=Guards'
lk 4 'role add guard' 'is taken'
lk 4 'role add other permissions=nothing' 'permissions: "nothing" does not exist'
lk 0 'role permit guard lock'
lk 0 'role show guard' 'door:open,lock'
lk 0 'role add chief parent=guard'
lk 0 'role grant alice chief --until 1h'
lk 0 'permission why alice door:open' 'inherits from guard'
lk 2 'role grant bob chief --until sometime' 'is not a time'
lk 4 'role set guard parent=chief' 'ancestor'
lk 4 'role remove guard'
lk 4 'permission remove door:open'
lk 0 'role forbid guard door:open'
lk 1 'permission check alice door:open'
lk 0 'permission remove door:open'
lk 0 'permission restore door:open'
lk 0 'role set chief parent='
lk 0 'role remove guard'
lk 0 'role restore guard'
lk 0 'permission list' 'RESOURCE'
lk 0 'permission set lock description=Locks'

# ---- Credentials

lk 0 'credential add api-key alice --label ci --expires 1d --roles chief'
key=$(cat out)
also 0 "grep -qxE 'lka_[A-Za-z0-9_-]{43}' out"
lk 0 "session check $key" 'api_key:' 'roles:         chief'
lk 0 'credential list alice' api_key password
id=$(awk '/api_key/ { print $1 }' out)
lk 3 "credential remove bob $id"
lk 0 "credential remove alice $id"
lk 1 "session check $key"
lk 3 "credential remove alice $id"
lk 2 'credential add fingerprint alice' 'is none of totp, recovery, ssh-key and api-key'
lk 2 'credential add ssh-key alice' 'there is none'
check 4 "echo nonsense | '$LATCHKEY' credential add ssh-key alice" 'key: '
check 0 "echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5nV5W9m6C5H8yV7f4g3m2bqQ7nVx1s2d3f4g5h6j7k alice@desk' | '$LATCHKEY' credential add ssh-key alice --label desk"
lk 0 'credential list alice' ssh_key desk

# ---- Suspended, removed, purged

check 0 "echo 'correct horse' | '$LATCHKEY' login alice --password-stdin"
token=$(cat out)
lk 0 'user suspend alice'
lk 1 "session check $token"
check 1 "echo 'correct horse' | '$LATCHKEY' login alice --password-stdin" 'login refused'
lk 0 'user activate alice'
lk 0 'user remove alice'
lk 3 'user show alice'
lk 0 'user show alice --deleted' 'deleted_at:           2'
lk 0 'user list --deleted' alice
lk 0 'user add alice'
lk 4 "user restore '#2'" username
lk 0 'user purge alice' 'bytes of the store overwritten'
lk 0 'user restore alice'
lk 3 'user restore alice' 'is not among the removed'
lk 0 'user purge alice --yes'
lk 3 'user purge alice'

# ---- Locked

# The fifth failure closes the network for a day: a delay of seconds ends on a slow machine.
lk 0 'user unlock admin'
lk 0 'tenant set factory close_failures=5'

for attempt in 1 2 3 4 5; do
    check 1 "echo 'wrong horse' | '$LATCHKEY' login admin --password-stdin # $attempt"
done
check 6 "echo 'a longer password' | '$LATCHKEY' login admin --password-stdin" 'try again in '
check 6 "echo 'a longer password' | '$LATCHKEY' --json login admin --password-stdin" '"wait_s":'
lk 0 'user show admin' 'is_locked:            true'
# A cookie of no device is none; it is read before the password.
check 6 "echo 'a longer password' | '$LATCHKEY' login admin --device lkd_x --password-stdin" 'try again in '
check 6 "printf 'lkd_x\na longer password\n' | '$LATCHKEY' login admin --device - --password-stdin" 'try again in '
lk 0 'user unlock admin'
check 0 "printf 'lkd_x\na longer password\n' | '$LATCHKEY' login admin --device - --password-stdin" 'lks_'
# A tenant that is not there has the policy of one that is, and counts by itself.
lk 0 'tenant set factory lockout_failures=2 close_failures=2'
for tenant in nowhere elsewhere; do
    for attempt in 1 2; do
        check 1 "echo 'wrong horse' | '$LATCHKEY' --tenant $tenant login admin --password-stdin # $attempt"
    done
    check 6 "echo 'a longer password' | '$LATCHKEY' --tenant $tenant login admin --password-stdin" 'try again in '
done
lk 2 'tenant set factory login_rate=fast' 'login_rate'
lk 0 'tenant set factory lockout_failures= close_failures= login_rate=1'
lk 0 'user unlock admin'
check 0 "echo 'a longer password' | '$LATCHKEY' login admin --password-stdin" 'lks_'
check 6 "echo 'a longer password' | '$LATCHKEY' login admin --password-stdin" 'try again in '
lk 0 'tenant set factory login_rate=2'
check 6 "echo 'a longer password' | '$LATCHKEY' login admin --password-stdin" 'try again in '
lk 0 'user unlock admin'
check 0 "echo 'a longer password' | '$LATCHKEY' login admin --password-stdin" 'lks_'
lk 0 'tenant set factory login_rate='
check 0 "echo 'a longer password' | '$LATCHKEY' login admin --password-stdin"

# ---- Tenants

lk 0 'tenant show' 'name: ' 'factory' 'password_blocklist:'
lk 0 'tenant add office session_lifetime=60' 'tenant office is #2'
lk 4 'tenant add office' 'is taken'
lk 2 'user list' 'say which by --tenant'
lk 3 '--tenant nowhere user list' 'tenant: "nowhere" does not exist'
lk 0 '--tenant office user add zoe' 'user zoe is #1'
check 0 "LATCHKEY_TENANT=office '$LATCHKEY' user list" zoe '1 shown'
lk 3 '--tenant factory user show zoe'
lk 0 'tenant list' factory office
lk 0 'tenant set office session_idle=60 display_name=Office'
lk 4 'tenant set office password_min=3' 'password_min: "3" is too small'
check 0 "echo 'correct horse' | '$LATCHKEY' --tenant office user passwd zoe --password-stdin"
check 0 "echo 'correct horse' | '$LATCHKEY' --tenant office login zoe --password-stdin"
token=$(cat out)
lk 0 "session check $token" 'tenant:        office'
lk 0 "--tenant office session check $token"
lk 1 "--tenant factory session check $token"
lk 1 "--tenant factory logout $token"
lk 0 'tenant suspend office'
lk 1 "session check $token"
lk 0 'tenant activate office'
lk 0 'tenant remove office'
lk 0 'tenant list --deleted' office
lk 0 'tenant restore office'
lk 0 '--tenant office user show zoe'
lk 0 'tenant purge office'
lk 3 'tenant show office'
lk 3 'tenant restore office'

# ---- Audit

lk 0 'audit list' 'SEQ' 'shown'
lk 0 '--json audit list --limit 1' '"seq":' '"at":' '"actor":' '"action":' '"resource_type":' \
    '"resource_id":' '"outcome":' '{"page":{"count":1,"next":"'
lk 0 '--json audit list --action user.set' '"action":"user.set"'
lk 0 'audit list --outcome failure --category auth --since 1h' login
lk 0 'audit list --until 1h' '0 shown'
lk 0 'audit list --resource user:1' 
lk 0 'audit list --user admin --reverse' login
lk 2 'audit list --outcome maybe' 'is none of its choices'
lk 2 'audit list --since yesterday' 'is not a time'
lk 0 'audit export' '"action":"tenant.add"'
also 1 "grep -F -e 'correct horse' -e 'a longer password' -e '$token' -e '$key' out"

# ---- The store

lk 0 'verify' 'all in order'
lk 0 'verify --deep' 'all in order'
lk 0 '--json verify' '"faults":0'
lk 0 'stats' 'schema_version:  1'
lk 0 '--json stats' '"tenants":1'
lk 0 'maintain' 'records changed'
lk 0 'compact' 'overwritten'
check 5 "'$LATCHKEY' user list --all >/dev/full" 'the output cannot be written'
check 0 "'$LATCHKEY' user list 2>/dev/null | head -c 1"
check 3 "'$LATCHKEY' console --tty /dev/nowhere" 'does not exist'
check 2 "'$LATCHKEY' console --tty /dev/null" 'is not a terminal'

# ---- The console, with a pipe for a person

check 0 "printf 'admin\na longer password\nuser list\nuser show nobody\nlogout\n' | '$LATCHKEY' console" \
    'latchkey login: ' 'admin@factory> ' USERNAME 'error 3: user show: '

# ---- Damage

cp -r store damaged
printf 'nonsense of some length, over and over and over' |
    dd of=damaged/data.mdb bs=1 seek=4096 conv=notrunc 2>/dev/null
check 5 "LATCHKEY_DB=damaged '$LATCHKEY' verify --deep"
mv store/secret secret
lk 5 'user list' 'device secret'
lk 0 '--secret secret user list' admin
check 0 "LATCHKEY_SECRET=secret '$LATCHKEY' user list"

# ---- What is made from the tables

check 0 "'$LATCHKEY' help --completion bash | bash -n"
cat >completes <<'END'
eval "$("$LATCHKEY" help --completion bash)"
compopt() { :; }
while read -r line; do
    read -ra COMP_WORDS <<<"$line"
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    COMPREPLY=()
    _latchkey
    echo "${COMPREPLY[*]}"
done
END
check 0 "printf 'latchkey us\nlatchkey --tenant main user s\nlatchkey user add x em\nlatchkey help user pa\nlatchkey session list --li\n' | bash completes | tr '\n' '|' >words"
check 0 "printf 'user|show set suspend|email=|passwd|--limit|' | cmp - words"
check 0 "'$LATCHKEY' help --man >latchkey.1"
if command -v groff >/dev/null 2>&1; then
    check 0 "test -z \"\$(groff -man -Tutf8 -ww -z latchkey.1 2>&1)\""
fi

echo "1..$number"
