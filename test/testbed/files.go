package testbed

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/aws"
)

// auditPolicy logs who asked what, without bodies. The bed's own parts are
// left out; request counts are of users.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: [testbed, system:apiserver, system:kube-scheduler, system:kube-controller-manager]
- level: None
  userGroups: [system:serviceaccounts, system:nodes]
- level: Metadata
`

// admission enforces Pod Security "restricted" wherever users work, as the
// restricted-v2 SCC would.
const admission = `apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: {enforce: restricted, enforce-version: latest}
    exemptions:
      namespaces: [kube-system, kube-public, kube-node-lease, ack-system]
`

// writeFiles writes what the parts read: keys, certificates, configuration.
func (b *Bed) writeFiles() error {
	var err error
	if b.authority, err = newAuthority(); err != nil {
		return err
	}
	server, err := b.authority.issue("server", nil, "127.0.0.1", "localhost", "kubernetes.default.svc")
	if err != nil {
		return err
	}
	proxy, err := b.authority.issue("front-proxy", []string{"system:masters"})
	if err != nil {
		return err
	}
	b.ownToken = rand.Text()
	write := func(name, text string) error {
		return os.WriteFile(filepath.Join(b.Dir, name), []byte(text), 0o600)
	}
	return errors.Join(
		write("ca.crt", string(b.authority.PEM)),
		server.write(b.Dir, "server"),
		proxy.write(b.Dir, "front-proxy"),
		writeTokenKeys(b.Dir),
		write("tokens.csv", b.ownToken+","+adminUser+","+adminUser+",system:masters\n"),
		write("audit.yaml", auditPolicy),
		write("admission.yaml", admission),
		// AWS clients would otherwise look into the home directory.
		write("aws-config", ""),
		write("aws-credentials", ""),
		os.CopyFS(filepath.Join(b.Dir, "aws"), aws.Files),
	)
}
