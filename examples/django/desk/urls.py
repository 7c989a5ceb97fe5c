from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

admin.site.site_header = "Lending desk"
admin.site.site_title = "Lending desk"
admin.site.index_title = "Behind the desk"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("django.contrib.auth.urls")),
    # Browsers ask for this on pages that name no icon, such as the admin's.
    path("favicon.ico", RedirectView.as_view(url=static("library/mark.svg"))),
    path("", include("library.urls")),
]
