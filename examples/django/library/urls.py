from django.urls import path

from library import views

urlpatterns = [
    path("", views.Shelf.as_view(), name="shelf"),
    path("books/<int:pk>/", views.BookPage.as_view(), name="book"),
    path("books/<int:pk>/cover", views.cover, name="cover"),
    path("books/<int:pk>/borrow", views.borrow, name="borrow"),
    path("loans/", views.Loans.as_view(), name="loans"),
    path("loans/<int:pk>/return", views.give_back, name="give_back"),
    path("suggest/", views.Suggest.as_view(), name="suggest"),
]
