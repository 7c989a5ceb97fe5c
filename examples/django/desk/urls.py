from django.contrib import admin
from django.urls import include, path

admin.site.site_header = "Lending desk"
admin.site.site_title = "Lending desk"
admin.site.index_title = "Behind the desk"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("django.contrib.auth.urls")),
    path("", include("library.urls")),
]
