using System.Globalization;
using System.Text;

namespace Reelbase.Bench.Speed;

/// <summary>What is asked: of pgbench as scripts, over HTTP as bytes. Everything asks the same press and the same job.</summary>
public static class Scripts
{
    // A colon before a word would be a variable of pgbench, hence the spaces in the JSON.
    private const string Press =
        """'{"model_id":"a0000000-0000-4000-8000-000000000001","theme_id": null,"prompt":"A paper boat on a quiet lake","settings":{"duration": 8},"image_url": null}'::jsonb""";

    private const string Body = """{"model_id":"a0000000-0000-4000-8000-000000000001","prompt":"A paper boat on a quiet lake","settings":{"duration":8}}""";

    private const string User = "('00000000-0000-4000-8000-000000' || :n)::uuid";
    private const string Job = "('00000000-0000-7000-8002-000000' || :n)::uuid";

    /// <summary>The ceiling of a press.</summary>
    public static string ReferenceAccept { get; } = $"{Among(Stage.FirstUser, Stage.Users)}\nselect * from ref.accept({User}, gen_random_uuid(), {Press});";

    /// <summary>The ceiling of a read.</summary>
    public static string ReferenceStatus { get; } =
        $"{Among(Stage.FirstUser, Stage.Users)}\nselect job_id, status, prompt, credits_used, created_at from ref.jobs where job_id = {Job} and user_id = {User};";

    /// <summary>Our function as the server calls it, in one pipeline with its role switch and its claims.</summary>
    public static string OurAccept(int first = Stage.FirstUser, int users = Stage.Users) =>
        Piped(
            first,
            users,
            $$"""select * from generate_video(gen_random_uuid(), {{Press}}, '127.0.0.1'::inet, '{"guest": 100000,"member": 100000,"premium": 100000,"guest_ip": null,"window_seconds": 3600}'::jsonb, 86400);"""
        );

    /// <summary>The same press spread over the models of <see cref="Ground.AddModelsAsync"/>.</summary>
    public static string OurSpreadAccept { get; } =
        $"\\set m random({Ground.FirstOfModels}, {Ground.FirstOfModels + Ground.Models - 1})\n"
        + OurAccept()
            .Replace(
                Press,
                "("
                    + Press
                        .Replace(Stage.Model, Stage.Model[..^2] + "' || :m || '", StringComparison.Ordinal)
                        .Replace("::jsonb", ")::jsonb", StringComparison.Ordinal),
                StringComparison.Ordinal
            );

    /// <summary>The read as the server calls it.</summary>
    public static string OurStatus { get; } = Piped(Stage.FirstUser, Stage.Users, $"select * from get_video_status({Job});");

    public static byte[] AcceptRequest(Stage stage, Random random) => AcceptRequest(stage.Tokens[random.Next(Stage.Users)]);

    public static byte[] StatusRequest(Stage stage, Random random)
    {
        var user = random.Next(Stage.Users);
        return StatusRequest(stage.Tokens[user], Stage.JobId(Stage.FirstUser + user));
    }

    public static byte[] StatusRequest(string token, string job) =>
        Encoding.ASCII.GetBytes($"GET /get-video-status?job_id={job} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n");

    /// <summary>The peer takes the user's id for a token.</summary>
    public static byte[] PeerAcceptRequest(Random random) => AcceptRequest(Stage.UserId(Stage.FirstUser + random.Next(Stage.Users)));

    public static byte[] PeerStatusRequest(Random random)
    {
        var number = Stage.FirstUser + random.Next(Stage.Users);
        return StatusRequest(Stage.UserId(number), Stage.JobId(number));
    }

    public static byte[] EmptyRequest(Random random) => "GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray();

    private static byte[] AcceptRequest(string token) =>
        Encoding.ASCII.GetBytes(
            $"POST /generate-video HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nIdempotency-Key: {Guid.NewGuid()}\r\nContent-Length: {Body.Length}\r\n\r\n{Body}"
        );

    private static string Among(int first, int users) => string.Create(CultureInfo.InvariantCulture, $@"\set n random({first}, {first + users - 1})");

    // The claims are those that the server sends: who, which role, which session. They are put together by PostgreSQL, which costs it next to nothing.
    private static string Piped(int first, int users, string call) =>
        Among(first, users)
        + """

            \startpipeline
            select set_config('role', 'authenticated', true), set_config('request.jwt.claims', '{"iss":"http://localhost/auth/v1","sub":"00000000-0000-4000-8000-000000' || :n || '","aud":"authenticated","role":"authenticated","iat": 1790000000,"exp": 1990000000,"session_id":"00000000-0000-4000-8001-000000' || :n || '","aal":"aal1","amr":[{"method":"anonymous","timestamp": 1790000000}],"is_anonymous": true,"email":"","phone":"","app_metadata":{},"user_metadata":{}}', true);

            """
        + call
        + "\n\\endpipeline\n";
}
