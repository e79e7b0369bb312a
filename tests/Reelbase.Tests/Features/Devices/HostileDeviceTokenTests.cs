using System.Net;
using System.Text;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>DeviceCheck tokens that are none, were made up, or were overheard: each is refused, or opens nobody, for the reason that its name says.</summary>
public sealed class HostileDeviceTokenTests(HostileDeviceTokenTests.Product system) : IClassFixture<HostileDeviceTokenTests.Product>
{
    /// <summary>Questions are not counted here: every case has a device of its own, and all come from one address.</summary>
    public sealed class Product : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Devices:QuestionsPerWindow"] = "-1" };
    }

    /// <summary>What is sent in place of a token, by name; {0} is the device.</summary>
    private static readonly Dictionary<string, (string Token, string Reason)> Forged = new()
    {
        ["base64 of nothing that Apple knows"] = ("AAAA", "not_a_real_device"),
        ["random bytes"] = (Convert.ToBase64String(Guid.NewGuid().ToByteArray()), "not_a_real_device"),
        ["a token of a build from Xcode"] = (Base64("xcode:{0}"), "not_a_real_device"),
        ["a token with another beginning"] = (Base64("Device:{0}"), "not_a_real_device"),
        ["a token of no device"] = (Base64("device:"), "not_a_real_device"),
        ["a token with something before it"] = (Base64(" device:{0}"), "not_a_real_device"),
        ["a token in base64 twice"] = (Base64(Base64("device:{0}")), "not_a_real_device"),
        ["two thousand bytes of zero"] = (Convert.ToBase64String(new byte[2000]), "not_a_real_device"),
        ["an attestation of App Attest"] = (Convert.ToBase64String([0xa3, 0x63, .. "fmt"u8, 0x6f, .. "apple-appattest"u8]), "not_a_real_device"),
        ["a JSON web token's first part"] = (Base64("{\"alg\":\"none\"}"), "not_a_real_device"),
        ["a refresh token"] = (Convert.ToBase64String(Encoding.UTF8.GetBytes("0b9fd0a26a554d2ea6c35c0d3a2f9b10")), "not_a_real_device"),
        ["text that is no base64"] = ("this is no base64!", "device_token_is_not_base64"),
        ["base64url"] = ("__--", "device_token_is_not_base64"),
        ["base64 without its padding"] = ("QUE", "device_token_is_not_base64"),
        ["base64 with too much padding"] = ("QUE==", "device_token_is_not_base64"),
        ["a token with a NUL behind it"] = ("QUFB\0", "wrong_type"),
        ["a token with a comma and another one"] = ("QUFB,QUFB", "device_token_is_not_base64"),
        ["letters of another alphabet"] = ("ＱＵＦＢ", "device_token_is_not_base64"),
        ["a quote"] = ("'; select 1; --", "device_token_is_not_base64"),
        ["nothing"] = ("", "required"),
        ["more than any token has"] = (new string('A', 16 * 1024 + 4), "required"),
    };

    public static TheoryData<string, bool> Cases
    {
        get
        {
            var cases = new TheoryData<string, bool>();
            foreach (var name in Forged.Keys)
            {
                cases.Add(name, true);
                cases.Add(name, false);
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_forged_token_is_refused_for_its_reason_and_makes_nobody(string name, bool isKnown)
    {
        var device = isKnown ? (await system.NewGuestAsync()).DeviceId : $"{Guid.NewGuid()}";
        var (token, reason) = Forged[name];
        var before = await StateAsync(device);
        var answer = await Phone.CheckAsync(system.Url, device, Of(device, token));
        var details = answer["error"].GetProperty("details");
        Assert.Equal(
            reason is "required" or "wrong_type" ? (HttpStatusCode.BadRequest, "ERR_4000", reason) : (HttpStatusCode.Forbidden, "ERR_4010", reason),
            (answer.Status, answer.Code, details.GetProperty("reason").GetString()!)
        );
        Assert.DoesNotContain("token\":\"", answer.Text, StringComparison.Ordinal);
        Assert.Equal(before, await StateAsync(device));
    }

    [Fact]
    public async Task A_token_that_was_overheard_is_no_second_grant_whatever_id_it_comes_with()
    {
        var phone = await system.NewGuestAsync();
        var token = Phone.TokenOf(phone.DeviceId);
        foreach (var id in new[] { $"{Guid.NewGuid()}", "4711", $"{Guid.NewGuid():N}", "00000000-0000-0000-0000-000000000000" })
        {
            var answer = await Phone.CheckAsync(system.Url, id, token);
            Assert.Equal((id, HttpStatusCode.OK, 0), (id, answer.Status, answer["credits_remaining"].GetInt32()));
            Assert.NotEqual(phone.UserId, answer["user_id"].GetGuid());
        }
        Assert.Equal(10, await phone.CreditsAsync());
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_token_that_apple_has_once_refused_stays_refused_whoever_brings_it_and_however_often()
    {
        var (first, second) = (await system.NewGuestAsync(), await system.NewGuestAsync());
        var token = Convert.ToBase64String(Guid.NewGuid().ToByteArray());
        foreach (var device in new[] { first.DeviceId, first.DeviceId, second.DeviceId, first.DeviceId.ToUpperInvariant() })
        {
            Assert.Equal("ERR_4010", (await Phone.CheckAsync(system.Url, device, token)).Code);
        }
        Assert.Equal(1, await system.QueryAsync<long>($"select count(*) from device_questions where token_hash = sha256('{token}')"));
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    /// <summary>The token of a case for this device.</summary>
    private static string Of(string device, string token)
    {
        Span<byte> bytes = new byte[token.Length];
        return
            Convert.TryFromBase64String(token, bytes, out var count)
            && Encoding.UTF8.GetString(bytes[..count]) is var text
            && text.Contains("{0}", StringComparison.Ordinal)
            ? Base64(text.Replace("{0}", device, StringComparison.Ordinal))
            : token;
    }

    private Task<List<string>> StateAsync(string device) =>
        system.RowsAsync(
            $"""
            select u.id, u.credits_remaining, (select count(*) from sessions s where s.user_id = u.id) from users u where u.device_id = internal.device_id_hash('{device}')
            """
        );
}
