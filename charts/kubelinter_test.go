package charts_test

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// linted is what the properties are about.
type linted struct {
	deployments []*appsv1.Deployment
	services    []*corev1.Service
	accounts    []string // namespace/name
	kinds       []string // apiVersion/kind
}

// property is what one check of kube-linter asks for.
type property struct {
	broken func(linted) []string // says where it does not hold
	spoil  func(*linted)         // makes it not hold, to show that it can be noticed
}

// TestKubeLinterDefaults asserts what kube-linter's checks ask for, for those that
// are enabled by default, each under the name of its check. It is not kube-linter and
// does not replace a run of it: the rules are written from its documentation,
// "KubeLinter checks" (docs/generated/checks.md), and its list of defaults
// (internal/defaultchecks/default_checks.go).
func TestKubeLinterDefaults(t *testing.T) {
	each(t, func(t *testing.T, found objects, _ input) {
		all := typed(t, found)
		if len(all.deployments) != 2 || len(all.services) != 2 {
			t.Fatalf("%d Deployments and %d Services", len(all.deployments), len(all.services))
		}
		for name, p := range kubeLinterDefaults() {
			for _, where := range p.broken(all) {
				t.Errorf("%s: %s", name, where)
			}
		}
	})
}

// Each of the properties must be able to fail.
func TestKubeLinterDefaultsFire(t *testing.T) {
	properties := kubeLinterDefaults()
	if len(properties) != 30 {
		t.Errorf("kube-linter enables 30 checks by default, here are %d", len(properties))
	}
	for name, p := range properties {
		all := typed(t, render(t, input{}))
		before := len(p.broken(all))
		p.spoil(&all)
		if len(p.broken(all)) <= before {
			t.Errorf("%s: a manifest that breaks it goes unnoticed", name)
		}
	}
}

// kubeLinterDefaults are the checks of kube-linter's default list.
func kubeLinterDefaults() map[string]property {
	list := map[string]property{}
	for _, some := range []map[string]property{podProperties(), containerProperties(), portProperties(), objectProperties()} {
		for name, p := range some {
			list[name] = p
		}
	}
	return list
}

// typed reads the objects as the API server would.
func typed(t *testing.T, found objects) linted {
	t.Helper()
	var all linted
	for _, key := range found.names() {
		object := found[key]
		all.kinds = append(all.kinds, object.GetAPIVersion()+"/"+object.GetKind())
		var err error
		switch object.GetKind() {
		case "Deployment":
			deployment := &appsv1.Deployment{}
			err = runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, deployment, true)
			all.deployments = append(all.deployments, deployment)
		case "Service":
			service := &corev1.Service{}
			err = runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, service, true)
			all.services = append(all.services, service)
		case "ServiceAccount":
			all.accounts = append(all.accounts, object.GetNamespace()+"/"+object.GetName())
		}
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
	}
	return all
}

// pods gives a property of each pod.
func pods(holds func(corev1.PodSpec) bool, spoil func(*corev1.PodSpec)) property {
	return property{
		broken: func(all linted) (where []string) {
			for _, d := range all.deployments {
				if !holds(d.Spec.Template.Spec) {
					where = append(where, d.Name)
				}
			}
			return where
		},
		spoil: func(all *linted) { spoil(&all.deployments[0].Spec.Template.Spec) },
	}
}

// containers gives a property of each container, init containers included.
func containers(holds func(corev1.Container) bool, spoil func(*corev1.Container)) property {
	return property{
		broken: func(all linted) (where []string) {
			for _, d := range all.deployments {
				for _, c := range slices.Concat(d.Spec.Template.Spec.InitContainers, d.Spec.Template.Spec.Containers) {
					if !holds(c) {
						where = append(where, d.Name+": "+c.Name)
					}
				}
			}
			return where
		},
		spoil: func(all *linted) { spoil(&all.deployments[0].Spec.Template.Spec.Containers[0]) },
	}
}

// deployments gives a property of each Deployment.
func deployments(holds func(linted, *appsv1.Deployment) bool, spoil func(*appsv1.Deployment)) property {
	return property{
		broken: func(all linted) (where []string) {
			for _, d := range all.deployments {
				if !holds(all, d) {
					where = append(where, d.Name)
				}
			}
			return where
		},
		spoil: func(all *linted) { spoil(all.deployments[0]) },
	}
}

// services gives a property of each Service.
func services(holds func(linted, *corev1.Service) bool, spoil func(*corev1.Service)) property {
	return property{
		broken: func(all linted) (where []string) {
			for _, s := range all.services {
				if !holds(all, s) {
					where = append(where, s.Name)
				}
			}
			return where
		},
		spoil: func(all *linted) { spoil(all.services[0]) },
	}
}

// absent is a property of the list of objects: none is of such a kind.
func absent(kind string) property {
	return property{
		broken: func(all linted) (where []string) {
			for _, k := range all.kinds {
				if strings.Contains(k, kind) {
					where = append(where, k)
				}
			}
			return where
		},
		spoil: func(all *linted) { all.kinds = append(all.kinds, kind) },
	}
}
