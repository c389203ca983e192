#!/usr/bin/env bash
#
# What the service does, with nothing but curl. It needs the credentials of a client with the scopes read:customers,
# write:customers, read:loans, write:loans, read:scores, read:reports and read:events:
#
#   CREDITGRAPH_CLIENT_ID=… CREDITGRAPH_CLIENT_SECRET=… ./tour.sh
#
# CREDITGRAPH_URL says where the service is, KEY which idempotency key the application for a loan has.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

url=${CREDITGRAPH_URL:-http://127.0.0.1:8080}
key=${KEY:-tour-$(date +%s)-$RANDOM}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

# field prints the first text or word of a name in JSON; nothing where there is none.
field() { grep -o "\"$1\":\(\"[^\"]*\"\|[a-z0-9]*\)" <<<"$2" | head -n 1 | cut -d: -f2- | tr -d '"' || true; }

# wanted is field that insists.
wanted() {
  local value
  value=$(field "$1" "$2")
  if [ -z "$value" ]; then
    echo "no $1 in: $2" >&2
    return 1
  fi
  echo "$value"
}

# quoted makes a JSON string of what it reads.
quoted() { printf '"%s"' "$(sed 's/\\/\\\\/g; s/"/\\"/g; s/\t/ /g' | awk '{ printf "%s\\n", $0 }')"; }

say() { printf '\n%s\n' "$*"; }

# Whoever is on this machine sees the arguments of a program. Secrets go through a pipe, or a file that only we can read.
say '1. A token, for the credentials of a client'
: "${CREDITGRAPH_CLIENT_ID:?}" "${CREDITGRAPH_CLIENT_SECRET:?}"
answer=$(printf 'user = "%s:%s"\n' "$CREDITGRAPH_CLIENT_ID" "$CREDITGRAPH_CLIENT_SECRET" |
  curl -sS --config - -d grant_type=client_credentials "$url/oauth/token")
token=$(wanted access_token "$answer")
echo "good for $(wanted expires_in "$answer") seconds, for $(wanted scope "$answer")"
(umask 077 && printf 'Authorization: Bearer %s\n' "$token" >"$place/header")
ask() { curl -sS -H "@$place/header" "$@"; }
post() { ask -H 'Content-Type: application/json' -d "$1" "$url/graphql"; }

say '2. A query by GET'
answer=$(ask -G --data-urlencode 'query={ customers(first: 1, filter: { linked: [KREDETE, KREDMINT] }) { edges { node { id fullName } } } }' "$url/graphql")
customer=$(wanted id "$answer")
echo "customer $customer"

say '3. The credit summary, one of the operations of a document'
document=$(quoted <../operations/mobile.graphql)
answer=$(post "{\"query\": $document, \"operationName\": \"CustomerCreditSummary\", \"variables\": {\"id\": \"$customer\"}}")
echo "as of $(wanted asOf "$answer"), $(grep -o '"status":"[A-Z_]*","asOf"' <<<"$answer" | wc -l) providers"
grep -o '"provider":"[A-Z_]*","status":"[A-Z_]*"' <<<"$answer" | tr -d '"' | tr ',' ' '

say '4. An action, sent twice with one key: it happens once'
newest=$(wanted endCursor "$(post '{"query": "{ events(last: 1) { pageInfo { endCursor } } }"}')")
apply="{\"query\": \"mutation(\$input: ApplyForLoanInput!) { applyForLoan(input: \$input) {
  loan { id } operation { id status replayed } userErrors { code message field } } }\",
  \"variables\": {\"input\": {\"idempotencyKey\": \"$key\", \"customerId\": \"$customer\", \"provider\": \"KREDETE\",
    \"productId\": \"prod_personal_loan\", \"principal\": {\"amount\": \"500000\", \"currency\": \"NGN\"},
    \"tenure\": {\"value\": 90, \"unit\": \"DAY\"}, \"purpose\": \"EXPANSION_AND_GROWTH\",
    \"disbursementAccount\": {\"bankCode\": \"058\", \"accountNumber\": \"1234567890\", \"accountName\": \"A. Person\"}}}}"
for _ in first again; do
  answer=$(post "$(tr '\n' ' ' <<<"$apply")")
  loan=$(wanted id "$answer")
  echo "$(wanted status "$answer") replayed: $(wanted replayed "$answer") loan $loan"
done

say '5. A document by its hash: the service does not know it, is told it, and knows it'
query="query { customers(first: 1) { totalCount } } # $key"
hash=$(printf '%s' "$query" | sha256sum | cut -d' ' -f1)
extensions="{\"persistedQuery\": {\"version\": 1, \"sha256Hash\": \"$hash\"}}"
by_hash() { ask -G --data-urlencode "extensions=$extensions" "$url/graphql"; }
wanted code "$(by_hash)"
echo "told: $(wanted totalCount "$(post "{\"query\": $(printf '%s' "$query" | sed 's/"/\\"/g; s/.*/"&"/'), \"extensions\": $extensions}")")"
echo "by its hash: $(wanted totalCount "$(by_hash)")"

say '6. A file'
printf '%%PDF-1.4\n%% an invoice\n' >"$place/invoice.pdf"
upload="{\"query\": \"mutation(\$input: UploadDocumentInput!) { uploadDocument(input: \$input) {
  document { id name } operation { status } userErrors { code message field } } }\",
  \"variables\": {\"input\": {\"idempotencyKey\": \"$key-file\", \"customerId\": \"$customer\", \"kind\": \"INVOICE\",
    \"invoiceNumber\": \"$key\", \"file\": null}}}"
answer=$(ask -F "operations=$(tr '\n' ' ' <<<"$upload")" -F 'map={"0": ["variables.input.file"]}' -F "0=@$place/invoice.pdf;type=application/pdf" "$url/graphql")
echo "$(wanted status "$answer") document $(wanted id "$answer")"

say '7. The events since, as they happen; for some seconds'
behind=()
if [ "$newest" != null ]; then behind=(-H "Last-Event-ID: $newest"); fi # the log was empty: there is nothing to be behind of
subscription='{"query": "subscription { events { cursor event { type occurredAt loan { id } } } }"}'
ask -N --max-time "${SECONDS_TO_FOLLOW:-3}" -H 'Content-Type: application/json' -H 'Accept: text/event-stream' \
  ${behind[@]+"${behind[@]}"} -d "$subscription" "$url/graphql" >"$place/events" 2>"$place/problem" || [ $? -eq 28 ] # the time is up
grep '^data: {' "$place/events" | while read -r event; do
  echo "$(wanted occurredAt "$event") $(wanted type "$event") $(field id "$event")"
done
