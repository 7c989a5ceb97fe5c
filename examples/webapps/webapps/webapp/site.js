document.getElementById("said").textContent = "Its script ran.";
