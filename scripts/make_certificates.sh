#!/bin/sh
# Certificates for docker-compose.secure.yaml, below secrets/tls/: an authority of its own, one certificate a server, one for our
# clients, and the files that Kafka wants passwords and keys in. What is there already stays; remove the folder to begin anew.
set -eu
umask 077
cd "$(dirname "$0")/.."
[ -d secrets ] || { echo "error: run make env first" >&2; exit 1; }
[ ! -f secrets/tls/ca.crt ] || exit 0
rm -rf secrets/tls.partial
mkdir secrets/tls.partial
cd secrets/tls.partial

DAYS=825
authority() {
    openssl req -x509 -newkey rsa:3072 -noenc -days $DAYS -subj "/CN=batchstream authority" \
        -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout ca.key -out ca.crt
}
# The name that clients of other machines use.
outside=$(sed -n 's/^KAFKA_ADVERTISED_HOST=\(.*\)$/\1/p' ../../.env)
case $outside in
    '' | localhost | 127.0.0.1) outside= ;;
    *[!0-9.]*) outside=,DNS:$outside ;;
    *) outside=,IP:$outside ;;
esac
# certificate NAME USAGE SUBJECT-ALTERNATIVE-NAMES
certificate() {
    openssl req -newkey rsa:3072 -noenc -subj "/CN=$1" -keyout "$1.key" -out "$1.csr"
    printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=%s\nsubjectAltName=%s\n' "$2" "$3" >"$1.ext"
    openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days $DAYS -extfile "$1.ext" -out "$1.crt"
    rm "$1.csr" "$1.ext"
}
{
    authority
    certificate kafka serverAuth,clientAuth "DNS:kafka,DNS:localhost,IP:127.0.0.1$outside"
    certificate postgres serverAuth "DNS:postgres,DNS:localhost,IP:127.0.0.1$outside"
    certificate client clientAuth "DNS:client"
} 2>openssl.log || { cat openssl.log >&2; exit 1; }
rm openssl.log
# Java wants key and certificate in one file, the key in PKCS #8, which is what openssl writes.
cat kafka.key kafka.crt >kafka.pem
cat client.key client.crt >client.pem

user=$(cat ../kafka_password) admin=$(cat ../kafka_admin_password)
module=org.apache.kafka.common.security.plain.PlainLoginModule
for listener in inside outside; do
    printf '%s\n' "listener.name.$listener.plain.sasl.jaas.config=$module required username=\"admin\" password=\"$admin\" \\" \
        "    user_admin=\"$admin\" user_batchstream=\"$user\";"
done >kafka.properties
cat >kafka-client.properties <<END
security.protocol=SASL_SSL
sasl.mechanism=PLAIN
sasl.jaas.config=$module required username="admin" password="$admin";
ssl.truststore.type=PEM
ssl.truststore.location=/run/secrets/ca.crt
ssl.keystore.type=PEM
ssl.keystore.location=/run/secrets/client.pem
END
cat >kafka-ui.yaml <<END
kafka:
  clusters:
    - name: batchstream
      bootstrapServers: kafka:29092
      readOnly: true
      properties:
        security.protocol: SASL_SSL
        sasl.mechanism: PLAIN
        sasl.jaas.config: $module required username="admin" password="$admin";
        ssl.truststore.type: PEM
        ssl.truststore.location: /run/secrets/ca.crt
        ssl.keystore.type: PEM
        ssl.keystore.location: /run/secrets/client.pem
END
# Readable in the containers, each of which is given its own files only; the folder above is private.
chmod 0444 ./*
# The image copies this one with its mode, and appends to the copy.
chmod 0644 kafka.properties
chmod 0400 ca.key
cd ..
mv tls.partial tls
chmod 0711 tls
echo "wrote secrets/tls"
