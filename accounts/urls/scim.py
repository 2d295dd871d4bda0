"""The addresses that a tenant's directory calls, under `/scim/v2/`; whose they are is the token's to say."""

from django.urls import path, re_path

from accounts.api.scim import discovery, resources
from core.api.scim import NoSuchAddress

app_name = "scim"

urlpatterns = [
    path("ServiceProviderConfig", discovery.Config.as_view(), name="config"),
    path("ResourceTypes", discovery.ResourceTypes.as_view(), name="resource_types"),
    path("ResourceTypes/<str:name>", discovery.ResourceTypes.as_view(), name="resource_type"),
    path("Schemas", discovery.Schemas.as_view(), name="schemas"),
    path("Schemas/<str:name>", discovery.Schemas.as_view(), name="schema"),
    path("Users", resources.Users.as_view(), name="users"),
    path("Users/.search", resources.UserSearch.as_view(), name="search_users"),
    path("Users/<uuid:ident>", resources.User.as_view(), name="user"),
    path("Groups", resources.Groups.as_view(), name="groups"),
    path("Groups/.search", resources.GroupSearch.as_view(), name="search_groups"),
    path("Groups/<uuid:ident>", resources.Group.as_view(), name="group"),
    path(".search", resources.Search.as_view(), name="search"),
    re_path("^(?P<part>Me|Bulk)(/.*)?$", NoSuchAddress.as_view(), {"is_optional": True}, name="not_served"),
    re_path("", NoSuchAddress.as_view(), name="no_such_address"),
]
