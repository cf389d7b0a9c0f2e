#!/bin/sh
# Makes the certificates of the tests anew, valid from 2020 for a hundred years. Needs OpenSSL 3. Run it in this directory.
set -eu

from=20200101000000Z
until=21200101000000Z
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

touch "$work/index"
cat >"$work/config" <<END
[ca]
default_ca = tests
[tests]
database = $work/index
new_certs_dir = $work
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
[any]
commonName = supplied
END

request() { # name, common name
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout "$1.key" -out "$work/$1.csr" -subj "/CN=$2" 2>/dev/null
}

sign() { # name, extensions, first day, last day, options of the signer
  name=$1 extensions=$2 start=$3 end=$4
  shift 4
  printf '%b' "$extensions" >"$work/$name.ext"
  openssl ca -batch -notext -config "$work/config" -in "$work/$name.csr" -out "$name.pem" \
    -extfile "$work/$name.ext" -startdate "$start" -enddate "$end" "$@" 2>/dev/null
}

authority() { # name, common name
  request "$1" "$2"
  sign "$1" "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n" $from $until \
    -selfsign -keyfile "$1.key"
}

issue() { # name, authority, common name, subject alternative names, last day
  request "$1" "$3"
  sign "$1" "basicConstraints=CA:FALSE\nsubjectAltName=$4\n" $from "${5:-$until}" -cert "$2.pem" -keyfile "$2.key"
}

authority authority "Pipit test authority"
authority stranger "Some other authority"
issue server authority localhost "DNS:localhost,IP:127.0.0.1,IP:::1"
issue renewed authority localhost "DNS:localhost,IP:127.0.0.1,IP:::1"
issue other authority other.example "DNS:other.example"
issue client authority worker-7 "URI:spiffe://pipit.example/worker,DNS:worker-7.example,IP:10.0.0.7"
issue unknown stranger worker-7 "DNS:worker-7.example"
issue expired authority localhost "DNS:localhost,IP:127.0.0.1" 20200102000000Z
rm authority.key stranger.key
