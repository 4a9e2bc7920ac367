package testbed

import (
	"fmt"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// writeKubeconfig writes the kubeconfig of one user, certificates inside.
func writeKubeconfig(path, server, user string, authority []byte, client pair) error {
	const name = "testbed"
	config := api.NewConfig()
	config.Clusters[name] = &api.Cluster{Server: server, CertificateAuthorityData: authority}
	config.AuthInfos[user] = &api.AuthInfo{ClientCertificateData: client.Cert, ClientKeyData: client.Key}
	config.Contexts[name] = &api.Context{Cluster: name, AuthInfo: user, Namespace: "default"}
	config.CurrentContext = name
	return clientcmd.WriteToFile(*config, path)
}

// userKubeconfig issues a certificate for a user and writes the kubeconfig.
func (b *Bed) userKubeconfig(user string, groups ...string) (string, error) {
	client, err := b.authority.issue(user, groups)
	if err != nil {
		return "", err
	}
	path := filepath.Join(b.Dir, "kubeconfig-"+user)
	return path, writeKubeconfig(path, b.server, user, b.authority.PEM, client)
}

// ProjectAdminKubeconfig is the kubeconfig of an ordinary user of that name:
// on OpenShift one who may request projects, elsewhere one without any rights
// until NewNamespace gives some.
func (b *Bed) ProjectAdminKubeconfig(user string) (string, error) {
	path, err := b.userKubeconfig(user, ordinaryGroup)
	if err != nil {
		return "", fmt.Errorf("kubeconfig of %s: %w", user, err)
	}
	return path, nil
}

// ordinaryGroup is the group OpenShift puts everybody in who logs in.
const ordinaryGroup = "system:authenticated:oauth"
