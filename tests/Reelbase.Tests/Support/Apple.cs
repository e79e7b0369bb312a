using System.Text.Json;

namespace Reelbase.Tests.Support;

/// <summary>What people do at pretend Apple.</summary>
public sealed class Apple(HttpClient control)
{
    public const string Pack25 = "com.rendioai.credits.starter.25";
    public const string Pack60 = "com.rendioai.credits.popular.60";
    public const string Pack150 = "com.rendioai.credits.best.150";

    /// <summary>Buys something; by default for a user whom the app named, and without Apple notifying us.</summary>
    public async Task<(string Id, string Signed)> BuyAsync(
        string product,
        Guid? user = null,
        int quantity = 1,
        string environment = "Production",
        bool notify = false,
        string? customer = null
    )
    {
        var answer = await PostAsync(
            "appstore/purchases",
            new
            {
                product_id = product,
                quantity,
                environment,
                app_account_token = user,
                notify,
                customer,
            }
        );
        return (answer.GetProperty("transaction_id").GetString()!, answer.GetProperty("signed_transaction").GetString()!);
    }

    public Task<JsonElement> RefundAsync(string id, double percentage = 100, bool notify = true) =>
        PostAsync(
            "appstore/refunds",
            new
            {
                transaction_id = id,
                percentage,
                notify,
            }
        );

    public Task<JsonElement> ReverseRefundAsync(string id, bool notify = true) => PostAsync("appstore/refund-reversals", new { transaction_id = id, notify });

    public Task<JsonElement> AskForRefundAsync(string id) => PostAsync("appstore/consumption-requests", new { transaction_id = id });

    public Task<JsonElement> DeclineRefundAsync(string id) => PostAsync("appstore/refund-declines", new { transaction_id = id });

    public async Task<List<JsonElement>> ConsumptionsAsync(string id) =>
        (await control.GetFromJsonAsync<JsonElement>("/_control/appstore/consumptions"))
            .GetProperty("consumptions")
            .EnumerateArray()
            .Where(sent => sent.GetProperty("transaction_id").GetString() == id)
            .Select(sent => sent.GetProperty("body"))
            .ToList();

    /// <summary>A sign-in: identity token and authorization code.</summary>
    public async Task<(string Token, string Code)> SignInAsync(
        string subject,
        string? email = null,
        string? nonce = null,
        string? audience = null,
        long? issuedAt = null
    )
    {
        var answer = await PostAsync(
            "apple-id/tokens",
            new
            {
                sub = subject,
                email,
                nonce,
                aud = audience,
                iat = issuedAt,
            }
        );
        return (answer.GetProperty("id_token").GetString()!, answer.GetProperty("authorization_code").GetString()!);
    }

    public Task<JsonElement> AccountEventAsync(string type, string subject, bool asObject = false) =>
        PostAsync(
            "apple-id/events",
            new
            {
                type,
                sub = subject,
                as_object = asObject,
            }
        );

    public Task<JsonElement> RevocationsAsync() => control.GetFromJsonAsync<JsonElement>("/_control/apple-id/revocations");

    public async Task<List<JsonElement>> PushesAsync(string token) =>
        (await control.GetFromJsonAsync<JsonElement>("/_control/apns/notifications"))
            .GetProperty("notifications")
            .EnumerateArray()
            .Where(push => push.GetProperty("token").GetString() == token)
            .ToList();

    public Task<JsonElement> RespondToPushesAsync(
        string token,
        int status,
        string? reason = null,
        int? times = null,
        string? environment = null,
        long? timestamp = null
    ) =>
        PostAsync(
            "apns/answers",
            new
            {
                token,
                status,
                reason,
                times,
                environment,
                timestamp,
            }
        );

    public async Task<JsonElement> PostAsync(string path, object body)
    {
        using var answer = await control.PostAsJsonAsync("/_control/" + path, body);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).Clone();
    }
}
