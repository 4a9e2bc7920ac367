package ack

import (
	"sync"

	"k8s.io/client-go/dynamic"
)

// self is the service account that the controller's pod runs as.
type self struct {
	lock               sync.Mutex
	namespace, account string
	client             dynamic.Interface
}

// is sets it.
func (s *self) is(namespace, account string) {
	if account == "" {
		account = "default"
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.namespace != namespace || s.account != account {
		s.namespace, s.account, s.client = namespace, account, nil
	}
}

// own is the cluster as the controller's service account sees it.
func (c *Controller) own() (dynamic.Interface, error) {
	c.self.lock.Lock()
	defer c.self.lock.Unlock()
	if c.self.client == nil {
		client, err := c.config.As(c.self.namespace, c.self.account)
		if err != nil {
			return nil, err
		}
		c.self.client = client
	}
	return c.self.client, nil
}
