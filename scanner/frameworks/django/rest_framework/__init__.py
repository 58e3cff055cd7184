"""Django REST framework: routers, viewsets, permissions, pagination."""
