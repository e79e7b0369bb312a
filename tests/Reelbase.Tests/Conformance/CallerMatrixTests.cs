using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Conformance;

/// <summary>
/// Callers × operations. The operations come from the OpenAPI document: a new one without an expectation fails.
/// </summary>
public sealed class CallerMatrixTests(CallerMatrixTests.Prepared system) : IClassFixture<CallerMatrixTests.Prepared>
{
    /// <summary>How an operation is called on Ben's things, and what each caller gets.</summary>
    /// <param name="Nobody">No token, an anon key, garbage, an expired or foreign token.</param>
    /// <param name="Foreign">Ada, naming Ben or Ben's thing.</param>
    /// <param name="Banned">Ben's own token after a ban.</param>
    /// <param name="Own">Ben.</param>
    private sealed record Expectation(string Method, string Path, string? Body, int Nobody, int Foreign, int Banned, int Own);

    /// <summary>Nobody is asked to sign in, everybody else has no business there.</summary>
    private static IEnumerable<KeyValuePair<string, Expectation>> AdminExpectations =>
        from operation in AdminSystem.Operations
        select KeyValuePair.Create(
            operation.Name,
            new Expectation(operation.IsPost ? "POST" : "GET", "/" + operation.Name, operation.IsPost ? "{}" : null, 401, 403, 403, 403)
        );

    private string Move => $$"""{"bucketId":"uploads","sourceKey":"{{system.Ben.UserId}}/a.jpg","destinationKey":"{{system.Ben.UserId}}/b.jpg"}""";

    private Dictionary<string, Expectation> Expectations =>
        new(AdminExpectations)
        {
            ["device-challenge"] = new("POST", "/device-challenge", null, 200, 200, 200, 200),
            ["device-check"] = new("POST", "/device-check", "{}", 400, 400, 400, 400),
            ["get-models"] = new("GET", "/get-models", null, 200, 200, 200, 200),
            ["get-themes"] = new("GET", "/get-themes", null, 200, 200, 200, 200),
            ["get-app-settings"] = new("GET", "/get-app-settings", null, 200, 200, 200, 200),
            ["get-consent-terms"] = new("GET", "/get-consent-terms", null, 200, 200, 200, 200),
            ["get-products"] = new("GET", "/get-products", null, 200, 200, 200, 200),
            ["generate-video"] = new(
                "POST",
                "/generate-video",
                $$"""{"model_id":"{{Catalog.FastModel}}","prompt":"For Ben","user_id":"{{system.Ben.UserId}}" }""",
                401,
                403,
                403,
                200
            ),
            ["get-video-status"] = new("GET", $"/get-video-status?job_id={system.Job}", null, 401, 404, 403, 200),
            ["get-video-jobs"] = new("GET", $"/get-video-jobs?user_id={system.Ben.UserId}", null, 401, 403, 403, 200),
            ["delete-video-job"] = new("POST", "/delete-video-job", $$"""{"job_id":"{{system.Job}}" }""", 401, 404, 403, 200),
            ["get-user-credits"] = new("GET", $"/get-user-credits?user_id={system.Ben.UserId}", null, 401, 403, 403, 200),
            ["get-credit-history"] = new("GET", $"/get-credit-history?user_id={system.Ben.UserId}", null, 401, 403, 403, 200),
            ["get-user-profile"] = new("GET", $"/get-user-profile?user_id={system.Ben.UserId}", null, 401, 403, 403, 200),
            ["update-user-settings"] = new("POST", "/update-user-settings", $$"""{"language":"en","user_id":"{{system.Ben.UserId}}" }""", 401, 403, 403, 200),
            ["update-credits"] = new(
                "POST",
                "/update-credits",
                $$"""{"signed_transaction":"{{system.Bought}}","user_id":"{{system.Ben.UserId}}" }""",
                401,
                403,
                403,
                200
            ),
            ["redeem-promo-code"] = new("POST", "/redeem-promo-code", $$"""{"code":"FOR-ALL","user_id":"{{system.Ben.UserId}}" }""", 401, 403, 403, 200),
            ["merge-guest-user"] = new(
                "POST",
                "/merge-guest-user",
                $$"""{"id_token":"{{system.IdToken}}","user_id":"{{system.Ben.UserId}}" }""",
                401,
                403,
                403,
                200
            ),
            ["delete-account"] = new("POST", "/delete-account", $$"""{"user_id":"{{system.Ben.UserId}}" }""", 401, 403, 403, 200),
            ["export-user-data"] = new("POST", "/export-user-data", $$"""{"user_id":"{{system.Ben.UserId}}" }""", 401, 403, 403, 200),
            ["record-consent"] = new(
                "POST",
                "/record-consent",
                $$"""{"kind":"terms","version":"1","granted":true,"user_id":"{{system.Ben.UserId}}" }""",
                401,
                403,
                403,
                200
            ),
            ["set-age-band"] = new(
                "POST",
                "/set-age-band",
                $$"""{"lower_bound":18,"declaration":"self","user_id":"{{system.Ben.UserId}}" }""",
                401,
                403,
                403,
                200
            ),
            ["register-push-token"] = new(
                "POST",
                "/register-push-token",
                $$"""{"token":"{{system.Ben.UserId:N}}","user_id":"{{system.Ben.UserId}}" }""",
                401,
                403,
                403,
                200
            ),
            ["forget-push-token"] = new("DELETE", $"/register-push-token?token={system.Ben.UserId:N}&user_id={system.Ben.UserId}", null, 401, 403, 403, 200),
            ["report-content"] = new("POST", "/report-content", $$"""{"job_id":"{{system.Job}}","reason":"not as it should be"}""", 401, 404, 403, 200),
            ["get-sessions"] = new("GET", $"/get-sessions?user_id={system.Ben.UserId}", null, 401, 403, 403, 200),
            ["end-session"] = new("POST", "/end-session", $$"""{"session_id":"{{system.SpareSession}}" }""", 401, 404, 403, 200),
            ["apple-server-notifications"] = new("POST", "/apple-server-notifications", "{}", 401, 401, 401, 401),
            ["apple-account-events"] = new("POST", "/apple-account-events", "{}", 401, 401, 401, 401),
            ["auth-token"] = new("POST", "/auth/v1/token?grant_type=refresh_token", """{"refresh_token":"of nobody at all"}""", 400, 400, 400, 400),
            ["auth-signup"] = new("POST", "/auth/v1/signup", "{}", 401, 200, 200, 200),
            ["auth-update-user"] = new("PUT", "/auth/v1/user", """{"data":{"nickname":"Ada"}}""", 401, 200, 403, 200),
            ["auth-user"] = new("GET", "/auth/v1/user", null, 401, 200, 403, 200),
            ["auth-logout"] = new("POST", "/auth/v1/logout?scope=others", "{}", 401, 204, 403, 204),
            ["auth-jwks"] = new("GET", "/auth/v1/.well-known/jwks.json", null, 200, 200, 200, 200),
            ["auth-health"] = new("GET", "/auth/v1/health", null, 200, 200, 200, 200),
            ["auth-settings"] = new("GET", "/auth/v1/settings", null, 200, 200, 200, 200),
            ["read-signed-file"] = new("GET", $"/storage/v1/object/sign/{system.File}?token=bad", null, 403, 403, 403, 403),
            ["read-own-file"] = new("GET", $"/storage/v1/object/authenticated/{system.File}", null, 401, 404, 403, 200),
            ["read-own-file-short"] = new("GET", $"/storage/v1/object/{system.File}", null, 401, 404, 403, 200),
            ["read-public-file"] = new("GET", $"/storage/v1/object/public/{system.File}", null, 404, 404, 404, 404),
            ["upload-file"] = new("POST", $"/storage/v1/object/uploads/{system.Ben.UserId}/x.jpg", "no picture", 401, 403, 403, 415),
            ["replace-file"] = new("PUT", $"/storage/v1/object/uploads/{system.Ben.UserId}/x.jpg", "no picture", 401, 403, 403, 415),
            ["sign-upload"] = new("POST", $"/storage/v1/object/upload/sign/uploads/{system.Ben.UserId}/x.jpg", null, 401, 403, 403, 200),
            ["upload-signed-file"] = new(
                "PUT",
                $"/storage/v1/object/upload/sign/uploads/{system.Ben.UserId}/x.jpg?token=bad",
                "no picture",
                403,
                403,
                403,
                403
            ),
            ["list-files"] = new("POST", "/storage/v1/object/list/uploads", "{}", 401, 200, 403, 200),
            ["remove-files"] = new("DELETE", "/storage/v1/object/uploads", """{"prefixes":["x.jpg"]}""", 401, 200, 403, 200),
            ["sign-files"] = new("POST", "/storage/v1/object/sign/videos", """{"expiresIn":60,"paths":["x.mp4"]}""", 401, 200, 403, 200),
            ["sign-file"] = new("POST", $"/storage/v1/object/sign/{system.File}", """{"expiresIn":60}""", 401, 404, 403, 200),
            ["move-file"] = new("POST", "/storage/v1/object/move", Move, 401, 403, 403, 404),
            ["copy-file"] = new("POST", "/storage/v1/object/copy", Move, 401, 404, 403, 404),
            ["file-info"] = new("GET", $"/storage/v1/object/info/{system.File}", null, 401, 404, 403, 200),
            ["file-info-long"] = new("GET", $"/storage/v1/object/info/authenticated/{system.File}", null, 401, 404, 403, 200),
            ["list-buckets"] = new("GET", "/storage/v1/bucket", null, 401, 200, 200, 200),
            ["get-bucket"] = new("GET", "/storage/v1/bucket/uploads", null, 401, 200, 200, 200),
            ["provider-webhook"] = new("POST", "/webhooks/fal/no-such-token", "{}", 401, 401, 401, 401),
            ["health-live"] = new("GET", "/health/live", null, 200, 200, 200, 200),
            ["health-ready"] = new("GET", "/health/ready", null, 200, 200, 200, 200),
        };

    /// <summary>Ada asks, Ben owns.</summary>
    public sealed class Prepared : TestSystem
    {
        protected override bool HasConsole => true;

        public Phone Ada { get; private set; } = null!;
        public Phone Ben { get; private set; } = null!;
        public string Job { get; private set; } = "";
        public string File { get; private set; } = "";
        public string Bought { get; private set; } = "";
        public string IdToken { get; private set; } = "";
        public Guid SpareSession { get; private set; }

        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            Ada = await NewGuestAsync();
            Ben = await NewGuestAsync(100);
            await Phone.OnboardAsync(Url, Ben.DeviceId);
            SpareSession = await QueryAsync<Guid>($"select id from sessions where user_id = '{Ben.UserId}' order by created_at desc limit 1");
            var last = await Ben.GenerateAndWatchAsync("Ben's video");
            Job = last.GetProperty("job_id").GetString()!;
            await NewPromoCodeAsync("FOR-ALL", 1, 1);
            (_, Bought) = await new Apple(Control).BuyAsync(Apple.Pack25, Ben.UserId);
            (IdToken, _) = await new Apple(Control).SignInAsync("Ben at Apple");
            File = new Uri(last.GetProperty("video_url").GetString()!).AbsolutePath.Split("/sign/")[1];
        }
    }

    [Fact]
    public async Task Every_operation_of_the_document_answers_every_caller_as_expected()
    {
        using var http = system.Anybody();
        var document = await http.GetFromJsonAsync<JsonElement>("/openapi/v1.json");
        var operations = document
            .GetProperty("paths")
            .EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Where(member => member.Name is "get" or "post" or "put" or "patch" or "delete"))
            .Select(operation => operation.Value.GetProperty("operationId").GetString()!)
            .Distinct()
            .Order()
            .ToList();
        Assert.Equal(Expectations.Keys.Order(), operations);

        var tokens = (AccessTokens)system.Server.Services.GetService(typeof(AccessTokens))!;
        var wrong = new List<string>();
        foreach (
            var (name, expected) in Expectations.OrderBy(pair =>
                pair.Key switch
                {
                    "delete-account" => 2,
                    "delete-video-job" => 1,
                    _ => 0,
                }
            )
        )
        {
            foreach (
                var (caller, token, status) in new (string, string?, int)[]
                {
                    ("nobody", null, expected.Nobody),
                    // What the anon key is for.
                    ("anon key", tokens.CreateAnonKey(), name == "auth-signup" ? 200 : Signed(expected.Nobody, name)),
                    ("service key", tokens.CreateServiceKey(), name == "auth-signup" ? 200 : Signed(expected.Nobody, name)),
                    ("garbage", "garbage", Signed(expected.Nobody, name)),
                    ("another", system.Ada.AccessToken, expected.Foreign),
                }
            )
            {
                await CompareAsync(name, caller, token, expected, status, wrong);
            }
            await system.ExecuteAsync($"update users set banned_at = now() where id = '{system.Ben.UserId}'");
            await CompareAsync(name, "banned", system.Ben.AccessToken, expected, expected.Banned, wrong);
            await system.ExecuteAsync($"update users set banned_at = null where id = '{system.Ben.UserId}'");
            await CompareAsync(name, "owner", system.Ben.AccessToken, expected, expected.Own, wrong);
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public async Task The_same_paths_answer_under_functions_v1()
    {
        foreach (var name in new[] { "get-user-credits", "get-user-profile", "get-video-jobs", "get-credit-history", "get-models" })
        {
            var plain = await system.Ada.GetAsync("/" + name);
            var prefixed = await system.Ada.GetAsync("/functions/v1/" + name);
            Assert.Equal(HttpStatusCode.OK, prefixed.Status);
            Assert.Equal(plain.Text, prefixed.Text);
        }
    }

    // GoTrue's own wire says 403 bad_jwt for a token that is there and wrong.
    private static int Signed(int nobody, string name) => name is "auth-user" or "auth-update-user" or "auth-logout" ? 403 : nobody;

    private async Task CompareAsync(string name, string caller, string? token, Expectation expected, int status, List<string> wrong)
    {
        using var http = system.Anybody();
        using var request = new HttpRequestMessage(new HttpMethod(expected.Method), expected.Path);
        if (expected.Body is not null)
        {
            request.Content = new StringContent(expected.Body, Encoding.UTF8, "application/json");
        }
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
        using var answer = await http.SendAsync(request);
        var text = answer.Content.Headers.ContentType?.MediaType == "video/mp4" ? "" : await answer.Content.ReadAsStringAsync();
        if ((int)answer.StatusCode != status)
        {
            wrong.Add($"{name} as {caller}: expected {status}, got {(int)answer.StatusCode} {text}");
        }
        if (
            caller != "owner"
            && (int)answer.StatusCode >= 400
            && (text.Contains(system.Ben.DeviceId, StringComparison.Ordinal) || text.Contains("Npgsql", StringComparison.Ordinal))
        )
        {
            wrong.Add($"{name} as {caller} reveals too much: {text}");
        }
    }
}
