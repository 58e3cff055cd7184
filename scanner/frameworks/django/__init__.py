"""Django: settings, URLconfs, views, guards, the ORM; what is built on it lies below."""
