using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Reelbase.Tests.Support;

/// <summary>Somebody at the console's endpoints without a browser: cookies, the form's token, and an address of their own.</summary>
public sealed partial class ConsoleVisitor : IDisposable
{
    private readonly HttpClient _http;

    public ConsoleVisitor(string url, string from = "127.0.0.1") =>
        _http = new(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                ConnectCallback = async (context, cancellationToken) =>
                {
                    var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                    socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
                    await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            }
        )
        {
            BaseAddress = new Uri(url),
        };

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>Signs in with password and code; answers where it leads.</summary>
    public async Task<string> SignInAsync(string email, string password, string code)
    {
        using var form = new FormUrlEncodedContent(
            new Dictionary<string, string>
            {
                ["__RequestVerificationToken"] = await TokenAsync(),
                ["email"] = email,
                ["password"] = password,
                ["code"] = code,
            }
        );
        using var answer = await _http.PostAsync("/admin/session", form);
        return answer.Headers.Location?.ToString() ?? $"{(int)answer.StatusCode}";
    }

    /// <summary>Posts JSON as the console's script does.</summary>
    public async Task<ApiResponse> PostAsync(string path, JsonNode body, bool hasToken = true)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        if (hasToken)
        {
            request.Headers.Add("RequestVerificationToken", await TokenAsync());
        }
        return await ApiResponse.ReadAsync(await _http.SendAsync(request));
    }

    /// <summary>The options of a sign-in.</summary>
    public async Task<JsonElement> ChallengeAsync() => (await PostAsync("/admin/passkey/challenge", new JsonObject())).Json;

    /// <summary>Signs in with what a passkey said.</summary>
    public Task<ApiResponse> SignInAsync(JsonObject credential) => PostAsync("/admin/passkey/session", new JsonObject { ["credential"] = credential });

    /// <summary>Signs in with a passkey, whole.</summary>
    public async Task<ApiResponse> SignInAsync(SoftwarePasskey passkey) => await SignInAsync(passkey.Sign(await ChallengeAsync()));

    /// <summary>Adds a passkey, whole.</summary>
    public async Task<ApiResponse> AddAsync(SoftwarePasskey passkey, string name = "a key")
    {
        var options = await PostAsync("/admin/passkey/new", new JsonObject());
        return options.Status == HttpStatusCode.OK ? await AddAsync(passkey.Make(options.Json), name) : options;
    }

    /// <summary>Adds what a passkey said.</summary>
    public Task<ApiResponse> AddAsync(JsonObject credential, string name) =>
        PostAsync("/admin/passkey/add", new JsonObject { ["name"] = name, ["credential"] = credential });

    /// <summary>Whether the console lets them in.</summary>
    public async Task<bool> IsInAsync()
    {
        using var answer = await _http.GetAsync("/admin");
        return answer.StatusCode == HttpStatusCode.OK;
    }

    private async Task<string> TokenAsync() => Token().Match(await _http.GetStringAsync("/admin/sign-in")).Groups[1].Value;

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
