const element = (id) => document.getElementById(id);
let accessToken = "";
let invited = null;

async function api(path, options = {}) {
  const headers = { ...(options.body && { "content-type": "application/json" }) };
  if (accessToken) headers.authorization = `Bearer ${accessToken}`;
  const answer = await fetch(`/api${path}`, { ...options, headers });
  if (answer.status === 401) {
    signedIn("");
    throw new Error("Please sign in again.");
  }
  if (answer.status === 429) throw new Error("Too many people at once. Try again in a moment.");
  if (answer.status === 204) return null;
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.message);
  return body;
}

async function cognito(operation, parameters) {
  const config = await (await fetch("/config.json")).json();
  const answer = await fetch(`https://cognito-idp.${config.region}.amazonaws.com/`, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `AWSCognitoIdentityProviderService.${operation}`,
    },
    body: JSON.stringify({ ClientId: config.clientId, ...parameters }),
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.message);
  return body;
}

async function signIn(email, password) {
  const answer = await cognito("InitiateAuth", {
    AuthFlow: "USER_PASSWORD_AUTH",
    AuthParameters: { USERNAME: email, PASSWORD: password },
  });
  if (answer.AuthenticationResult) return signedIn(answer.AuthenticationResult.AccessToken);
  if (answer.ChallengeName !== "NEW_PASSWORD_REQUIRED") throw new Error("This account cannot sign in here.");
  invited = { email, session: answer.Session };
  element("sign-in").hidden = true;
  element("choose").hidden = false;
}

async function choosePassword(password) {
  const answer = await cognito("RespondToAuthChallenge", {
    ChallengeName: "NEW_PASSWORD_REQUIRED",
    Session: invited.session,
    ChallengeResponses: { USERNAME: invited.email, NEW_PASSWORD: password },
  });
  signedIn(answer.AuthenticationResult.AccessToken);
}

function signedIn(token) {
  accessToken = token;
  element("sign-in").hidden = Boolean(token);
  element("choose").hidden = true;
  element("write").hidden = !token;
}

function shown(report) {
  const item = document.createElement("li");
  const time = document.createElement("time");
  time.dateTime = report.writtenAt;
  time.textContent = new Date(report.writtenAt).toLocaleString();
  item.append(time, report.text);
  return item;
}

async function list() {
  const status = element("status");
  status.textContent = "Loading...";
  try {
    const { reports } = await api(`/reports?trail=${encodeURIComponent(element("trail").value)}`);
    element("reports").replaceChildren(...reports.map(shown));
    status.textContent = reports.length ? "" : "Nobody has written about this trail yet.";
  } catch (problem) {
    element("reports").replaceChildren();
    status.textContent = `The reports cannot be shown. ${problem.message}`;
  }
}

function onSubmit(form, act) {
  element(form).addEventListener("submit", async (event) => {
    event.preventDefault();
    element("notice").textContent = "";
    try {
      await act();
    } catch (problem) {
      element("notice").textContent = problem.message;
    }
  });
}

onSubmit("sign-in", () => signIn(element("email").value, element("password").value));
onSubmit("choose", () => choosePassword(element("chosen").value));
onSubmit("write", async () => {
  const report = { trail: element("trail").value, text: element("text").value };
  await api("/reports", { method: "POST", body: JSON.stringify(report) });
  element("text").value = "";
  await list();
});
element("trail").addEventListener("change", list);
list();
