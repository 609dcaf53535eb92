<?php
// A complete Tollgate client for PHP 8.1 or newer, without dependencies.
//
// Buys a number and waits for its code, then places an SMM order and follows it.
// Settings come from the environment:
//
//   TOLLGATE_KEY   the API key (required)
//   TOLLGATE_URL   the API's address, up to and including /api/v1
//   TOLLGATE_SERVER, TOLLGATE_SERVICE, TOLLGATE_COUNTRY, TOLLGATE_PROVIDER_TYPE
//                  what number to buy
//   TOLLGATE_SMM_SERVICE, TOLLGATE_LINK, TOLLGATE_QUANTITY
//                  what SMM order to place

declare(strict_types=1);

final class Refused extends RuntimeException
{
    public function __construct(public readonly string $reason, string $error)
    {
        parent::__construct("$error [$reason]");
    }
}

final class Tollgate
{
    public function __construct(private string $baseUrl, private string $key) {}

    /** One call; a body makes it a write. Returns the answer's data. */
    public function request(string $door, string $action, array $query = [], ?array $body = null): array
    {
        $url = rtrim($this->baseUrl, '/') . "/$door?" . http_build_query(['action' => $action] + $query);
        $headers = ["X-API-Key: {$this->key}"];
        // ignore_errors lets the body of a refusal through
        $options = ['method' => 'GET', 'timeout' => 60, 'ignore_errors' => true];
        if ($body !== null) {
            $headers[] = 'Content-Type: application/json';
            $headers[] = 'Idempotency-Key: ' . bin2hex(random_bytes(16));
            $options['method'] = 'POST';
            $options['content'] = json_encode($body, JSON_THROW_ON_ERROR);
        }
        $options['header'] = implode("\r\n", $headers);
        $json = @file_get_contents($url, false, stream_context_create(['http' => $options]));
        if ($json === false) {
            throw new RuntimeException("no answer from {$this->baseUrl}");
        }
        $answer = json_decode($json, true, 64, JSON_THROW_ON_ERROR);
        if (($answer['success'] ?? false) !== true) {
            throw new Refused($answer['code'] ?? 'unknown', $answer['error'] ?? 'no reason given');
        }
        return $answer['data'];
    }
}

function setting(string $name, string $default): string
{
    $value = getenv("TOLLGATE_$name");
    return $value === false ? $default : $value;
}

function receiveCode(Tollgate $api): void
{
    $number = $api->request('otp', 'buy_number', [], [
        'service_id' => setting('SERVICE', '306343'),
        'country_id' => setting('COUNTRY', '61'),
        'server' => setting('SERVER', 'peter'),
        'provider_type' => (int) setting('PROVIDER_TYPE', '1'),
    ]);
    echo "order {$number['order_id']}: " . ($number['phone_number'] ?? 'number pending') . "\n";
    for ($attempt = 0; $attempt < 600; $attempt++) {
        $status = $api->request('otp', 'get_status', ['order_id' => $number['order_id']]);
        if ($status['status'] === 'received') {
            echo "code: {$status['code']}\n";
            return;
        }
        if ($status['status'] === 'cancelled') {
            throw new RuntimeException('the order was cancelled before a code came');
        }
        sleep(max(1, $status['poll_after_s'] ?? 1));
    }
    throw new RuntimeException('no code came in time');
}

function placeOrder(Tollgate $api): void
{
    $wanted = setting('SMM_SERVICE', '1');
    $services = array_column($api->request('smm', 'services')['services'], null, 'service_id');
    $service = $services[$wanted] ?? throw new RuntimeException("no SMM service $wanted");
    echo "{$service['category']} {$service['name']}: \${$service['rate_usd_per_1000']} per 1000\n";
    $order = $api->request('smm', 'place_order', [], [
        'service_id' => $wanted,
        'link' => setting('LINK', 'https://instagram.com/user' . bin2hex(random_bytes(4))),
        'quantity' => (int) setting('QUANTITY', '500'),
    ]);
    echo "order {$order['order_id']}: {$order['status']}\n";
    for ($attempt = 0; $attempt < 600; $attempt++) {
        $status = $api->request('smm', 'order_status', ['order_id' => $order['order_id']]);
        if (in_array($status['status'], ['Completed', 'Partial', 'Canceled'], true)) {
            echo "order {$order['order_id']}: {$status['status']}, {$status['remains']} remain\n";
            return;
        }
        sleep(1);
    }
    throw new RuntimeException('the order did not end in time');
}

try {
    $key = setting('KEY', '') ?: throw new RuntimeException('set TOLLGATE_KEY to your API key');
    $api = new Tollgate(setting('URL', 'http://127.0.0.1:8080/api/v1'), $key);
    echo "balance: \${$api->request('otp', 'balance')['wallet_balance']}\n";
    receiveCode($api);
    placeOrder($api);
} catch (Throwable $problem) {
    fwrite(STDERR, "failed: {$problem->getMessage()}\n");
    exit(1);
}
