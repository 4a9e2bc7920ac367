package testbed

import (
	"fmt"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// writeKubeconfig writes the kubeconfig of one user, credentials inside.
func writeKubeconfig(path, server, user string, authority []byte, credentials api.AuthInfo) error {
	const name = "testbed"
	config := api.NewConfig()
	config.Clusters[name] = &api.Cluster{Server: server, CertificateAuthorityData: authority}
	config.AuthInfos[user] = &credentials
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
	return path, writeKubeconfig(path, b.server, user, b.authority.PEM, api.AuthInfo{ClientCertificateData: client.Cert, ClientKeyData: client.Key})
}

// ownKubeconfig is that of the bed's own parts. They come with a token: the API server
// verifies the certificate of a user again for each request.
func (b *Bed) ownKubeconfig() (string, error) {
	path := filepath.Join(b.Dir, "kubeconfig-"+adminUser)
	return path, writeKubeconfig(path, b.server, adminUser, b.authority.PEM, api.AuthInfo{Token: b.ownToken})
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
