"""Kubernetes manifests, and what skaffold and kustomize add to them."""
